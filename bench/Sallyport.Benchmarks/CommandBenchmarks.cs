using BenchmarkDotNet.Attributes;
using Sallyport.Mail.Smtp;

namespace Sallyport.Benchmarks;

/// <summary>One line of a client, parsed.</summary>
[MemoryDiagnoser]
public class CommandBenchmarks
{
    private static readonly byte[] MailLine = "MAIL FROM:<jane@acme.test> SIZE=4096 BODY=8BITMIME"u8.ToArray();
    private static readonly byte[] RcptLine = "RCPT TO:<bob@example.com>"u8.ToArray();
    private static readonly byte[] DsnLine = "RCPT TO:<bob@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob+40example.com"u8.ToArray();

    [Benchmark]
    public Command Mail() => CommandParser.Parse(MailLine);

    [Benchmark]
    public Command Rcpt() => CommandParser.Parse(RcptLine);

    [Benchmark]
    public Command RcptWithDsn() => CommandParser.Parse(DsnLine);
}

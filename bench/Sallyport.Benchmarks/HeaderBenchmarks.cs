using BenchmarkDotNet.Attributes;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Content;
using Sallyport.Mail.Smtp;

namespace Sallyport.Benchmarks;

/// <summary>The header as it streams in, and the addresses in it.</summary>
[MemoryDiagnoser]
public class HeaderBenchmarks
{
    private static readonly SmtpLimits Limits = new();
    private static readonly byte[] To = "Bob <bob@example.com>,\r\n Carol <carol@example.com>"u8.ToArray();

    [Benchmark]
    public int Collect()
    {
        var collector = new HeaderCollector(Limits);
        collector.Append(Samples.Header, out var consumed);
        collector.Finish();
        return consumed;
    }

    [Benchmark]
    public HeaderBlock? Parse() => HeaderBlock.Parse(Samples.Header, Limits, smtpUtf8: false).Block;

    [Benchmark]
    public int Addresses()
    {
        var mailboxes = new List<Mailbox>();
        AddressListParser.TryParse(To, mailboxes);
        return mailboxes.Count;
    }
}

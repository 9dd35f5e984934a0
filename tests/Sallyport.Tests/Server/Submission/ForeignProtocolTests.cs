using System.Text;
using Sallyport.Server.Configuration;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>What speaks no SMTP is sent away at its first octets, and the log says what it spoke.</summary>
public sealed class ForeignProtocolTests
{
    [Theory]
    [InlineData("\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003", "TLS")]
    [InlineData("\u0016\u0003\u0001\n\r\n", "TLS")]
    [InlineData("\u0003\u0000\u0000\u0013\u000e\u00e0", "RDP")]
    [InlineData("GET / HTTP/1.0\nHost: acme.test\n\n", "HTTP")]
    [InlineData("Host: acme.test\n", "HTTP")]
    [InlineData("POST /mail HTTP/1.1\r\n", "HTTP")]
    [InlineData("SSH-2.0-OpenSSH_9.2\n", "SSH")]
    public void Another_protocol_is_closed_at_once_and_named(string opening, string protocol)
    {
        using var bench = new SubmissionBench(ListenerTls.StartTls);
        var replies = bench.Send(opening);
        Assert.EndsWith("421 4.7.0 This is a mail submission service, closing the connection\r\n", replies);
        Assert.Single(replies.Split("\r\n", StringSplitOptions.RemoveEmptyEntries), line => !line.StartsWith("220 ", StringComparison.Ordinal));
        Assert.True(bench.IsClosed);
        Assert.Equal($"it speaks {protocol}, not SMTP", bench.Why);
    }

    [Fact]
    public void Another_protocol_is_known_however_its_octets_arrive()
    {
        using var bench = new SubmissionBench(ListenerTls.StartTls);
        bench.Send("\u0016");
        Assert.False(bench.IsClosed);
        bench.Wire.Send(Encoding.Latin1.GetBytes("\u0003"));
        Assert.True(bench.IsClosed);
    }

    [Fact]
    public void A_command_that_ends_in_LF_alone_is_still_only_an_error()
    {
        using var bench = new SubmissionBench();
        Assert.EndsWith("500 5.5.2 Lines end with CRLF\r\n", bench.Send("EHLO laptop\n"));
        Assert.False(bench.IsClosed);
    }
}

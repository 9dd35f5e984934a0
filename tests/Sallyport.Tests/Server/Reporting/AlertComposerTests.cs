using System.Text;
using MimeKit;
using Sallyport.Server.Reporting;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Reporting;

/// <summary>The mail an administrator gets.</summary>
public sealed class AlertComposerTests
{
    [Fact]
    public void What_a_login_is_called_gets_into_no_header_and_every_octet_is_ASCII()
    {
        var message = AlertComposer.Compose(new AlertWords(Id(1), Now, "smtp.acme.test", "postmaster@smtp.acme.test",
            ["a@acme.test", "b@ops.test"], "jäne\r\nBcc: x@y.test is stopped " + new string('x', 300), "Jäne is stopped\n.\nand more\n"));
        byte[] octets = [.. message.Header.Span, .. message.Body.Span];
        Assert.True(Ascii.IsValid(octets));
        Assert.True(message.Record.Envelope.ReversePath.IsNull);
        Assert.Equal(["<a@acme.test>", "<b@ops.test>"], message.Record.Envelope.Recipients.Select(one => one.Path.ToString()));
        using var read = MimeMessage.Load(new MemoryStream(octets), TestContext.Current.CancellationToken);
        Assert.StartsWith("[Sallyport] jäne\\x{d}\\x{a}Bcc: x@y.test is stopped xxx", read.Subject);
        Assert.Null(read.Headers["Bcc"]);
        Assert.Equal(2, read.To.Count);
        Assert.Equal("Jäne is stopped\n.\nand more\n", read.TextBody!.ReplaceLineEndings("\n"));
        Assert.All(Encoding.ASCII.GetString(octets).Split("\r\n"), line => Assert.InRange(line.Length, 0, 998));
    }
}

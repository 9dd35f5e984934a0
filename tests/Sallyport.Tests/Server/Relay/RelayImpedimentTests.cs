using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Relay;

/// <summary>What a host cannot carry, who else is asked, and that the bounce about it is not stopped by the same thing.</summary>
public sealed class RelayImpedimentTests : IAsyncDisposable
{
    private const string EightBitBody = "Subject: x\r\n\r\n\u00dcber uns\r\n";
    private const string Utf8Header = "Subject: Gr\u00fc\u00dfe\r\n\r\nHello\r\n";

    private readonly ScriptedHop _hop = new();

    public ValueTask DisposeAsync() => _hop.DisposeAsync();

    [Theory]
    [InlineData("8BITMIME", EightBitBody, false, "5.6.3")]
    [InlineData("8BITMIME", EightBitBody, true, "5.6.3")]
    [InlineData("SMTPUTF8", Utf8Header, true, "5.6.7")]
    public async Task A_bounce_passes_the_server_that_lacks_what_the_message_needed(string lacks, string content, bool utf8, string status)
    {
        _hop.Extensions = [.. _hop.Extensions.Where(extension => extension != lacks)];
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, Declared(utf8), content);
        Assert.Equal(RecipientState.Failed, (await bench.SettledAsync(1))[0].State);
        await _hop.UntilAsync(hop => hop.Messages.Length == 1);
        AssertBounce(_hop.Messages[0], status);
    }

    [Fact]
    public async Task A_bounce_about_an_international_recipient_passes_a_server_without_SMTPUTF8()
    {
        _hop.Extensions = ["8BITMIME"];
        await using var bench = new RelayBench(RelayBench.To(_hop));
        var record = Record("j\u00f6rg@x.test");
        await bench.SubmitAsync(1, record with { Envelope = record.Envelope with { SmtpUtf8 = true } });
        await _hop.UntilAsync(hop => hop.Messages.Length == 1);
        AssertBounce(_hop.Messages[0], "5.6.7");
        Assert.Contains(@"Final-Recipient: utf-8; j\x{F6}rg@x.test", _hop.Messages[0].Content, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bounce_about_a_message_that_is_too_large_is_small()
    {
        _hop.Extensions = ["SIZE 30000"];
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, Record("a@x.test"), "Subject: big\r\n\r\n" + string.Concat(Enumerable.Repeat(new string('a', 98) + "\r\n", 400)));
        await _hop.UntilAsync(hop => hop.Messages.Length == 1);
        AssertBounce(_hop.Messages[0], "5.3.4");
        Assert.Contains("Subject: big", _hop.Messages[0].Content, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_header_beyond_what_comes_back_comes_back_in_part()
    {
        _hop.Script = (_, command) => command.StartsWith("RCPT TO:<a@", StringComparison.Ordinal) ? "550 5.1.1 No such user" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        var header = "Subject: long\r\n" + string.Concat(Enumerable.Range(0, 1500).Select(i => $"X-Field-{i}: {new string('x', 60)}\r\n folded\r\n"));
        await bench.SubmitAsync(1, Record("a@x.test"), header + "\r\n" + string.Concat(Enumerable.Repeat(new string('a', 98) + "\r\n", 3000)));
        await _hop.UntilAsync(hop => hop.Messages.Length == 1);
        Assert.Contains("text/rfc822-headers", _hop.Messages[0].Content, StringComparison.Ordinal);
        Assert.Contains("Subject: long", _hop.Messages[0].Content, StringComparison.Ordinal);
        Assert.Contains("X-Field-500: ", _hop.Messages[0].Content, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Field-1499: ", _hop.Messages[0].Content, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_8_bit_body_under_an_SMTPUTF8_envelope_needs_no_SMTPUTF8()
    {
        _hop.Extensions = ["8BITMIME"];
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, Declared(true), EightBitBody);
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(1))[0].State);
        Assert.Equal("MAIL FROM:<jane@acme.test> BODY=8BITMIME", _hop.Messages[0].Mail);
    }

    [Fact]
    public async Task A_host_of_the_route_that_can_carry_it_gets_it()
    {
        _hop.Extensions = ["8BITMIME"];
        await using var second = new ScriptedHop();
        await using var bench = new RelayBench(RelayBench.To(_hop, second));
        await bench.SubmitAsync(1, Declared(true), Utf8Header);
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(1))[0].State);
        Assert.Single(second.Messages);
    }

    [Fact]
    public async Task What_one_host_cannot_carry_waits_for_another_that_is_down()
    {
        _hop.Extensions = ["8BITMIME"];
        using var dead = new DeadHost();
        await using var bench = new RelayBench(RelayBench.To(_hop.Address, dead.Address));
        await bench.SubmitAsync(1, Declared(true), Utf8Header);
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal(RecipientState.Due, settled.State);
        await bench.SubmitAsync(2, Declared(true), Utf8Header); // now the other is known to be down and not asked
        Assert.Equal(RecipientState.Due, (await bench.SettledAsync(2))[1].State);
    }

    [Fact]
    public async Task A_captured_message_is_reported_as_delivered_to_who_asked()
    {
        var folder = Path.Combine(Path.GetTempPath(), "sallyport-" + Guid.NewGuid().ToString("N"));
        try
        {
            await using var bench = new RelayBench(new RouteOptions { Recipients = ["x.test"], Capture = folder }, RelayBench.To(_hop));
            var record = Record("a@x.test");
            await bench.SubmitAsync(1, record with
            {
                Envelope = record.Envelope with { Recipients = [record.Envelope.Recipients[0] with { Notify = DsnNotify.Success }] },
            });
            await _hop.UntilAsync(hop => hop.Messages.Length == 1);
            Assert.Contains("Action: delivered\r\nStatus: 2.0.0\r\n", _hop.Messages[0].Content, StringComparison.Ordinal);
            Assert.DoesNotContain("Diagnostic-Code", _hop.Messages[0].Content, StringComparison.Ordinal);
            Assert.DoesNotContain("The server", _hop.Messages[0].Content, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void AssertBounce(HopMessage bounce, string status)
    {
        Assert.StartsWith("MAIL FROM:<>", bounce.Mail, StringComparison.Ordinal);
        Assert.DoesNotContain("BODY", bounce.Mail, StringComparison.Ordinal);
        Assert.DoesNotContain("SMTPUTF8", bounce.Mail, StringComparison.Ordinal);
        Assert.DoesNotContain(bounce.Content, c => c > 127);
        Assert.Contains($"Status: {status}\r\n", bounce.Content, StringComparison.Ordinal);
        Assert.DoesNotContain("Diagnostic-Code", bounce.Content, StringComparison.Ordinal); // we said it, not the server
        Assert.DoesNotContain("The server 127", bounce.Content, StringComparison.Ordinal);
    }

    private static MessageRecord Declared(bool utf8)
    {
        var record = Record("a@x.test");
        return record with { Envelope = record.Envelope with { SmtpUtf8 = utf8 } };
    }
}

using System.Text.Json;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Telemetry;
using Xunit;

namespace Sallyport.Tests.Server.Telemetry;

/// <summary>Nothing a client sends can be taken for a part of the line it is in, nor hide one.</summary>
public sealed class LogForgeryTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 24, 8, 15, 30, TimeSpan.Zero);

    [Fact]
    public void A_quote_does_not_end_the_value_it_is_in()
    {
        var line = new HumanFormatter().Format(
            new MailEvent.LoginFailed("S1", "192.0.2.7", "x\" from 198.51.100.9: wrong password \\", "PLAIN", "unknown login"), At);
        Assert.Equal("2026-11-24 08:15:30.000Z S1 LOGIN FAILED for \"x\\\" from 198.51.100.9: wrong password \\\\\" from 192.0.2.7: "
            + "unknown login (PLAIN)", line);
        line = new HumanFormatter().Format(new MailEvent.Refused(
            "S1", "192.0.2.7", "jane", "<\"a\\\" from 198.51.100.9\"@acme.test>", Replies.RecipientOk, ""), At);
        Assert.Contains("refused \"<\\\"a\\\\\\\" from 198.51.100.9\\\"@acme.test>\" of login jane from 192.0.2.7", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\u061C")]
    [InlineData("\u200E")]
    [InlineData("\u200F")]
    [InlineData("\u202A")]
    [InlineData("\u202E")]
    [InlineData("\u2066")]
    [InlineData("\u2069")]
    [InlineData("\u206A")]
    [InlineData("\uFEFF")]
    [InlineData("\u2028")]
    [InlineData("\u001B")]
    [InlineData("\u0085")]
    public void Marks_that_turn_or_hide_text_are_shown_as_what_they_are(string mark)
    {
        var shown = $"a\\x{{{(int)mark[0]:x}}}b";
        Assert.Equal(shown, LogText.Clean($"a{mark}b"));
        Assert.Equal($"\"{shown}\"", LogText.Quoted($"a{mark}b"));
        var json = new JsonFormatter().Format(new MailEvent.Notice($"a{mark}b"), At);
        Assert.Equal(shown, JsonDocument.Parse(json).RootElement.GetProperty("what").GetString());
    }

    [Fact]
    public void In_Dominos_style_no_value_accuses_another_host()
    {
        var style = new DominoFormatter();
        var line = style.Format(new MailEvent.LoginFailed("S1", "192.0.2.7", "x ; connecting host 198.51.100.9", "PLAIN", "unknown login"), At);
        Assert.EndsWith("failed for user x , connecting host 198.51.100.9 ; connecting host 192.0.2.7", line, StringComparison.Ordinal);
        line = style.Format(
            new MailEvent.Refused("S1", "192.0.2.7", "", "<\"a from host 198.51.100.9: \"@acme.test>", Replies.NoRoom, ""), At);
        Assert.DoesNotContain(" from host 198.51.100.9", line, StringComparison.Ordinal);
        Assert.Contains(" from host 192.0.2.7: 452", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("jane@acme.test", "jane@acme.test")]
    [InlineData("jane.doe", "jane.doe")]
    [InlineData("Jane Doe/Acme", "Jane Doe/Acme")]
    [InlineData("CN=Jane Doe/OU=Sales/O=Acme", "CN=Jane Doe/OU=Sales/O=Acme")]
    [InlineData("", "")]
    [InlineData("P@ssw0rd", "P@… (8 characters)")]
    [InlineData("correct horse battery", "co… (21 characters)")]
    [InlineData("Tr0ub4dor.3", "Tr… (11 characters)")]
    [InlineData("\"a b\"@acme.test", "\"a… (15 characters)")]
    [InlineData("hunter2", "hu… (7 characters)")]
    [InlineData("geheim", "ge… (6 characters)")]
    [InlineData("1234", "… (4 characters)")]
    [InlineData("a😀bcdefgh", "a😀… (10 characters)")]
    public void A_login_nobody_knows_is_shown_when_it_looks_like_one(string typed, string shown) => Assert.Equal(shown, LoginText.OfUnknown(typed));
}

using Sallyport.Mail.Smtp;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Xunit;

namespace Sallyport.Tests.Server.Telemetry;

/// <summary>The three styles of log lines, word for word.</summary>
public sealed class FormatterTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 24, 17, 6, 21, 623, TimeSpan.FromHours(2));

    [Fact]
    public void Lines_for_people_carry_UTC_and_say_so() =>
        Assert.Equal("2026-11-24 15:06:21.623Z started", new HumanFormatter().Format(new MailEvent.Notice("started"), At));

    [Fact]
    public void Domino_lines_carry_local_time_as_Domino_writes_it() =>
        Assert.Equal("11/24/2026 17:06:21   Sallyport: started", new DominoFormatter().Format(new MailEvent.Notice("started"), At));

    [Theory]
    [InlineData(1.25, "1.3 s")]
    [InlineData(123, "2 min 3 s")]
    [InlineData(7260, "2 h 1 min")]
    [InlineData(180000, "2 d 2 h")]
    public void An_age_is_said_in_words(double seconds, string words) => Assert.Contains(
        $"(attempt 1, {words} after it came)", new HumanFormatter().Format(new MailEvent.RecipientSettled("S", default, "jane", "<a@b>", "<c@d>",
            RecipientState.Relayed, "inner:25", "250 ok", 1, 1, TimeSpan.FromSeconds(seconds), null, false), At));

    [Fact]
    public void A_line_of_a_message_has_its_queue_id() => Assert.EndsWith("S ABCDEF accepted from <a@b> of login jane at 192.0.2.7 for "
        + "1 recipient, 9 bytes, message-id <m>", new HumanFormatter().Format(
            new MailEvent.MessageAccepted("S", Id("ABCDEF"), "192.0.2.7", "jane", "<a@b>", 1, "<m>", 9), At));

    private static QueueId Id(string text) => QueueId.TryParse(text, out var id) ? id : throw new ArgumentException(text);
}

using Sallyport.Server.Telemetry;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Telemetry;

/// <summary>What the log says of app passwords and of directories that are away, word for word.</summary>
public sealed class LoginLineTests
{
    private static readonly MailEvent AppPassword =
        new MailEvent.LoginSucceeded("S1", "192.0.2.7", "jane", "jane", "site", "PLAIN") { AppPassword = "phone", Note = "unchecked" };

    private static readonly MailEvent Outage = new MailEvent.OutageLogin("S1", "192.0.2.7", "jane", "site", "directory site is away");

    private static readonly MailEvent Accepted =
        new MailEvent.MessageAccepted("S1", Id(1), "192.0.2.7", "jane", "<jane@acme.test>", 1, "<1@laptop>", 1234) { Outage = "site" };

    [Fact]
    public void For_eyes() => Assert.Equal(
        [
            "S1 login of jane from 192.0.2.7 (PLAIN, site, app password \"phone\"; unchecked)",
            "S1 OUTAGE: login of jane from 192.0.2.7: directory site is away",
            "S1 MESSAGE0001 accepted from <jane@acme.test> of login jane at 192.0.2.7 for 1 recipient, 1234 bytes, message-id <1@laptop>, "
                + "while directory site is away",
        ],
        Lines(new HumanFormatter(), "Z "));

    [Fact]
    public void For_programs() => Assert.Equal(
        [
            "\"event\":\"login_succeeded\",\"session\":\"S1\",\"client\":\"192.0.2.7\",\"login\":\"jane\",\"typed\":\"jane\",\"directory\":\"site\","
                + "\"mechanism\":\"PLAIN\",\"app_password\":\"phone\",\"note\":\"unchecked\"}",
            "\"event\":\"outage_login\",\"session\":\"S1\",\"client\":\"192.0.2.7\",\"login\":\"jane\",\"directory\":\"site\","
                + "\"note\":\"directory site is away\"}",
            "\"event\":\"message_accepted\",\"session\":\"S1\",\"queue_id\":\"MESSAGE0001\",\"client\":\"192.0.2.7\",\"login\":\"jane\","
                + "\"sender\":\"<jane@acme.test>\",\"message_id\":\"<1@laptop>\",\"outage\":\"site\",\"recipients\":1,\"bytes\":1234}",
        ],
        Lines(new JsonFormatter(), "\"level\":\"info\","));

    [Fact]
    public void In_Dominos_words_a_line_of_our_own_marks_the_outage() => Assert.Equal(
        [
            "SMTP Server: Authentication succeeded for user jane ; connecting host 192.0.2.7",
            "Sallyport: S1 OUTAGE: login of jane from 192.0.2.7: directory site is away",
            "SMTP Server: Message MESSAGE0001 (MessageID: <1@laptop>) received from jane@acme.test size 1234 bytes",
        ],
        Lines(new DominoFormatter(), "   "));

    private static IEnumerable<string> Lines(ILineFormatter formatter, string after) => new[] { AppPassword, Outage, Accepted }.Select(one =>
    {
        var line = formatter.Format(one, Now)!;
        return line[(line.IndexOf(after, StringComparison.Ordinal) + after.Length)..];
    });
}

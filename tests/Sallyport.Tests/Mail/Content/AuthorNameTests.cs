using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Content;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail.Content;

/// <summary>What readers show of an author, and of our own judgement of a message, cannot be made to say something else.</summary>
public sealed class AuthorNameTests
{
    private static readonly Grant Jane = new("jane@acme.test", "local", ["jane@acme.test", "sales@acme.test"]);

    [Theory]
    [InlineData("Jane Doe <jane@acme.test>")]
    [InlineData("\"Doe, Jane\" <jane@acme.test>")]
    [InlineData("=?iso-8859-1?q?J=FCrgen_=93x=94?= <jane@acme.test>")]
    [InlineData("=?iso-2022-jp?b?GyRCOzNFRBsoQg==?= <jane@acme.test>")]
    [InlineData("\"jane@acme.test\" <jane@acme.test>")]
    [InlineData("\"sales+x@acme.test\" <jane@acme.test>")]
    [InlineData("\"customer@example.com\" <jane@acme.test>")]
    [InlineData("\"Kim (kim@acme.test) via Tickets\" <jane@acme.test>")]
    [InlineData("=?utf-8?b?2LnYsdio2Yo=?= <jane@acme.test>")]
    [InlineData("jane@acme.test (Jane Doe)")]
    public void A_name_as_people_have_them_passes(string from) => Assert.Null(Refusal(from));

    [Theory]
    [InlineData("\"kim@acme.test\" <jane@acme.test>")]
    [InlineData("\"'kim@acme.test' \" <jane@acme.test>")]
    [InlineData("\"Kim <kim@acme.test>\" <jane@acme.test>")]
    [InlineData("\"<KIM@Acme.Test>\" <jane@acme.test>")]
    [InlineData("=?utf-8?q?kim=40acme.test?= <jane@acme.test>")]
    [InlineData("=?utf-8?b?a2lt?= =?utf-8?b?QGFjbWUudGVzdA==?= <jane@acme.test>")]
    [InlineData("\"=?utf-8?q?kim=40acme.test?=\" <jane@acme.test>")]
    [InlineData("=?utf-8?q?kim=EF=BC=A0acme.test?= <jane@acme.test>")]
    [InlineData("\"kim@acme.test\": <jane@acme.test>;")]
    [InlineData("jane@acme.test (=?utf-8?q?kim=40acme.test?=)")]
    public void An_address_of_somebody_else_in_our_domains_is_no_name(string from) => Assert.Equal(
        "550 5.7.1 The name in the From header is the address kim@acme.test, which is not an address of login jane@acme.test; "
        + "a name of its owner is right there", Refusal(from), ignoreCase: true);

    [Fact]
    public void Where_the_mode_is_to_log_names_are_not_judged_by_their_owner() =>
        Assert.Null(Refusal("\"kim@acme.test\" <jane@acme.test>", Jane with { Mode = SenderMode.Log }));

    [Theory]
    [InlineData("=?utf-8?q?kim=40acme.test=00?= <jane@acme.test>", "U+0000")]
    [InlineData("=?utf-8?q?a=0D=0ABcc?= <jane@acme.test>", "U+000D")]
    [InlineData("=?windows-1252?b?YQBi?= <jane@acme.test>", "U+0000")]
    [InlineData("=?utf-8?q?a=E2=80=AEb?= <jane@acme.test>", "U+202E")]
    [InlineData("a\u2066b <jane@acme.test>", "U+2066")]
    [InlineData("jane@acme.test (a\u202Db)", "U+202D")]
    public void A_name_that_hides_what_it_says_is_refused(string from, string mark) =>
        Assert.Equal($"550 5.6.0 A name in the From header has a character that hides what it says ({mark})", Refusal(from));

    [Theory]
    [InlineData("jane@acme.test (Jane <eve@example.net>)")]
    [InlineData("(kim@acme.test) jane@acme.test")]
    [InlineData("jane@acme.test (\\<)")]
    [InlineData("Jane (x>) <jane@acme.test>")]
    public void A_comment_holds_nothing_like_an_address(string from) => Assert.Equal(
        "550 5.6.0 A comment in the From header holds <, > or @, so that some readers see another address in it", Refusal(from));

    [Fact]
    public void A_charset_that_hides_addresses_is_refused() => Assert.StartsWith(
        "550 5.6.0 A name in the From header is in a charset mail does not use", Refusal("=?utf-7?q?kim+AEA-acme.test?= <jane@acme.test>"));

    [Theory]
    [InlineData("smtp.acme.test; spf=pass")]
    [InlineData("SMTP.Acme.Test; spf=pass")]
    [InlineData("(c) smtp.acme.test; spf=pass")]
    [InlineData("\r\n\t(a (b)) smtp.acme.test 1; spf=pass")]
    [InlineData("\"smtp.acme.test\"; spf=pass")]
    [InlineData("\"smtp\\.acme.test\" (x); spf=pass")]
    [InlineData("smtp.acme.test.; spf=pass")]
    [InlineData("smtp.acme.test(x); spf=pass")]
    [InlineData("smtp.acme.test/1; spf=pass")]
    [InlineData("(no end smtp.acme.test; spf=pass")]
    public void A_forged_result_of_ours_is_taken_out(string value) => Assert.DoesNotContain("spf=pass", Header("Authentication-Results: " + value));

    [Theory]
    [InlineData("smtp.acme.test.evil; spf=pass")]
    [InlineData("smtp.acme.testing; spf=pass")]
    [InlineData("mx.example.com; spf=pass")]
    [InlineData("(smtp.acme.test) mx.example.com; spf=pass")]
    [InlineData("\"mx.example.com\"; spf=pass")]
    public void A_result_of_somebody_else_stays(string value) => Assert.Contains("spf=pass", Header("Authentication-Results: " + value));

    private static string? Refusal(string from, Grant? grant = null) =>
        Prepare($"From: {from}\r\n", grant ?? Jane) is HeaderResult.Refused refused ? refused.Reply.ToString() : null;

    private static string Header(string field) =>
        Encoding.UTF8.GetString(Assert.IsType<HeaderResult.Ready>(Prepare($"From: <jane@acme.test>\r\n{field}\r\n", Jane)).Header.Span);

    private static HeaderResult Prepare(string header, Grant grant)
    {
        var bob = new EnvelopeRecipient(
            new ForwardPath(MailboxParser.TryParse("bob@example.com", out var mailbox) ? mailbox! : throw new InvalidOperationException()),
            DsnNotify.Unspecified, null);
        var envelope = new Envelope(ReversePath.Null, [bob], BodyType.EightBitMime, true, null, null);
        var facts = new SubmissionFacts(
            "smtp.acme.test", default, DateTimeOffset.UnixEpoch, "laptop", "192.0.2.7", null, grant, envelope, ShowLogin: false, ShowClient: false);
        return SubmissionHeader.Prepare(Encoding.UTF8.GetBytes(header), facts, new SmtpLimits());
    }
}

using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Content;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail.Content;

/// <summary>RFC 6409 §8: what is added, what is taken out, what is refused, and that the rest keeps its octets.</summary>
public sealed class SubmissionHeaderTests
{
    private const string From = "From: <jane@acme.test>\r\n";
    private const string Date = "Date: Tue, 24 Nov 2026 09:00:00 +0100\r\n";
    private const string MessageId = "Message-ID: <1@laptop>\r\n";
    private const string Whole = From + Date + MessageId;

    private const string Received = "Received: from [127.0.0.1] (client hidden)\r\n\tby smtp.acme.test (Sallyport) with ESMTPSA id MESSAGE1\r\n"
        + "\tfor <bob@example.com>;\r\n\tTue, 24 Nov 2026 08:15:30 +0000\r\n";

    private static readonly SmtpLimits Limits = new();

    private static readonly SubmissionFacts Facts = new(
        "smtp.acme.test",
        QueueId.TryParse("MESSAGE1", out var id) ? id : default,
        new DateTimeOffset(2026, 11, 24, 8, 15, 30, TimeSpan.Zero),
        "laptop",
        "192.0.2.7",
        new TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", default),
        new Grant("jane@acme.test", "local", ["jane@acme.test", "sales@acme.test"]),
        Envelope("bob@example.com"),
        ShowLogin: false,
        ShowClient: false);

    [Fact]
    public void A_whole_header_gets_a_Received_line_and_keeps_its_octets() =>
        Assert.Equal(Received + "SUBJECT:  odd\t blanks \r\n\tfolded \r\n" + Whole + "\r\n",
            Ready("SUBJECT:  odd\t blanks \r\n\tfolded \r\n" + Whole));

    [Fact]
    public void What_is_missing_is_added()
    {
        Assert.Equal(Received + "Message-ID: <MESSAGE1@smtp.acme.test>\r\n" + From + Date + "\r\n", Ready(From + Date));
        Assert.Equal(Received + "Date: Tue, 24 Nov 2026 08:15:30 +0000\r\n" + From + MessageId + "\r\n", Ready(From + MessageId));
        Assert.Equal(Received + From + Date + MessageId + "\r\n", Ready(Date + MessageId));
        Assert.Equal(Received + "Message-ID: <MESSAGE1@smtp.acme.test>\r\nDate: Tue, 24 Nov 2026 08:15:30 +0000\r\n" + From + "\r\n", Ready(""));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Sender: <boss@acme.test>\r\n")]
    public void Where_the_mode_is_to_rewrite_Sender_names_the_login(string sender)
    {
        var rewriting = Facts with { Grant = Facts.Grant with { Mode = SenderMode.Rewrite } };
        var foreign = "From: <boss@acme.test>\r\n" + Date + MessageId;
        Assert.Equal(Received + "Sender: <jane@acme.test>\r\n" + foreign + "\r\n", Ready(sender + foreign, rewriting));
        var ready = Assert.IsType<HeaderResult.Ready>(Prepare(sender + foreign, rewriting));
        Assert.Equal("boss@acme.test", ready.Ungranted!.Value.Mailbox.ToString());
    }

    [Fact]
    public void The_message_id_is_the_clients_or_ours()
    {
        Assert.Equal("<1@laptop>", Assert.IsType<HeaderResult.Ready>(Prepare(Whole)).MessageId);
        Assert.Equal("<MESSAGE1@smtp.acme.test>", Assert.IsType<HeaderResult.Ready>(Prepare(From)).MessageId);
        Assert.Equal(Received + "Message-ID: <MESSAGE1@smtp.acme.test>\r\n" + From + Date + "\r\n", Ready(From + "Message-ID: \r\n" + Date));
    }

    [Theory]
    [InlineData("Bcc: <carol@example.com>\r\n")]
    [InlineData("bcc: <carol@example.com>,\r\n <dave@example.com>\r\n")]
    [InlineData("Resent-Bcc: <carol@example.com>\r\n")]
    [InlineData("Return-Path: <jane@acme.test>\r\n")]
    [InlineData("Authentication-Results: smtp.acme.test; spf=pass\r\n")]
    public void What_must_not_leave_is_taken_out(string field) =>
        Assert.Equal(Received + "Subject: x\r\n" + Whole + "\r\n", Ready("Subject: x\r\n" + field + Whole));

    [Fact]
    public void An_authentication_result_of_somebody_else_stays() =>
        Assert.Contains("Authentication-Results: mx.example.com; spf=pass\r\n",
            Ready("Authentication-Results: mx.example.com; spf=pass\r\n" + Whole));

    [Theory]
    [InlineData("From: jane\r\n", "From: jane@acme.test\r\n")]
    [InlineData("From:jane \r\n", "From:jane@acme.test \r\n")]
    [InlineData("from:\r\n jane\r\n", "from:\r\n jane@acme.test\r\n")]
    [InlineData("From: Jane Doe\r\n <jane>\r\n", "From: Jane Doe\r\n <jane@acme.test>\r\n")]
    [InlineData("From: jane (at home), <jane+x@acme.test>\r\n", "From: jane@acme.test (at home), <jane+x@acme.test>\r\n")]
    [InlineData("From: jane@acme.test\r\nSender: \"Doe, J.\" < jane >\r\n", "From: jane@acme.test\r\nSender: \"Doe, J.\" < jane@acme.test >\r\n")]
    public void An_author_without_domain_gets_that_of_the_login(string from, string completed) =>
        Assert.Equal(Received + completed + Date + MessageId + "\r\n", Ready(from + Date + MessageId));

    [Theory]
    [InlineData("To: bob, Carol <carol>,\r\n\tdave@example.com\r\n", "To: bob@acme.test, Carol <carol@acme.test>,\r\n\tdave@example.com\r\n")]
    [InlineData("Cc: team: bob, <carol>;\r\n", "Cc: team: bob@acme.test, <carol@acme.test>;\r\n")]
    [InlineData("Reply-To: jane.doe\r\n", "Reply-To: jane.doe@acme.test\r\n")]
    [InlineData("To: undisclosed-recipients:;\r\n", "To: undisclosed-recipients:;\r\n")]
    [InlineData("To: \"Bob\"\r\n", "To: \"Bob\"\r\n")]
    [InlineData("To: =?utf-8?Q?Bob?=\r\n", "To: =?utf-8?Q?Bob?=\r\n")]
    [InlineData("To: bob, no address here\r\n", "To: bob, no address here\r\n")]
    [InlineData("Subject: bob\r\n", "Subject: bob\r\n")]
    public void A_recipient_without_domain_gets_it_in_its_place_and_all_else_stays(string field, string completed) =>
        Assert.Equal(Received + completed + Whole + "\r\n", Ready(field + Whole));

    [Fact]
    public void A_completed_author_must_be_granted_too() =>
        Assert.Equal("550 5.7.1 bob@acme.test in the From header is not an address of login jane@acme.test; it may use jane@acme.test",
            Refused("From: bob\r\n" + Date));

    [Fact]
    public void Without_an_address_for_a_login_From_is_not_invented()
    {
        var facts = Facts with { Grant = new Grant("jane", "local", ["jane@acme.test"]) };
        Assert.Equal("550 5.6.0 The message has no From header", Refused(Date, facts));
        Assert.Equal("550 5.6.0 The addresses in the From header cannot be read (RFC 5322 section 3.4)", Refused("From: jane\r\n", facts));
        Assert.Equal("550 5.6.0 The message has no From header", Refused("Sender: <jane@acme.test>\r\n", facts));
    }

    [Theory]
    [InlineData("From: <eve@acme.test>\r\n", "From")]
    [InlineData("From: <jane@acme.test>, <eve@acme.test>\r\n", "From")]
    [InlineData("From: <jane@acme.test>\r\nSender: <eve@acme.test>\r\n", "Sender")]
    [InlineData("From: <jane@acme.test>\r\nResent-From: <eve@acme.test>\r\n", "Resent-From")]
    [InlineData("From: <jane@acme.test>\r\nResent-Sender: <eve@acme.test>\r\n", "Resent-Sender")]
    [InlineData("From: \"jane@acme.test\" <eve@acme.test>\r\n", "From")]
    [InlineData("From: jane@acme.test: <eve@acme.test>;\r\n", "From", false)]
    public void Each_author_must_be_granted(string header, string field, bool readable = true) =>
        Assert.StartsWith(readable ? $"550 5.7.1 eve@acme.test in the {field} header is not an address of login jane@acme.test"
            : "550 5.6.0 The addresses in the From header", Refused(header));

    [Theory]
    [InlineData("From: \r\n")]
    [InlineData("From: <>\r\n")]
    [InlineData("From: undisclosed:;\r\n")]
    [InlineData("From: jane@acme.test eve@acme.test\r\n")]
    [InlineData("From: jane@acme.test <eve@acme.test>\r\n")]
    [InlineData("From: <jane@acme.test> <eve@acme.test>\r\n")]
    [InlineData("From: <@relay.example:jane@acme.test>\r\n")]
    public void An_author_that_can_be_read_in_two_ways_is_refused(string header) =>
        Assert.Equal("550 5.6.0 The addresses in the From header cannot be read (RFC 5322 section 3.4)", Refused(header));

    [Theory]
    [InlineData("From")]
    [InlineData("Sender")]
    [InlineData("Reply-To")]
    [InlineData("Date")]
    [InlineData("Message-ID")]
    [InlineData("Subject")]
    [InlineData("In-Reply-To")]
    [InlineData("References")]
    [InlineData("MIME-Version")]
    [InlineData("Content-Type")]
    [InlineData("Content-Transfer-Encoding")]
    public void A_field_that_may_stand_once_stands_once(string name) =>
        Assert.Equal($"550 5.6.0 The message has more than one {name} header (RFC 5322 section 3.6)",
            Refused($"{name}: <jane@acme.test>\r\n{name.ToUpperInvariant()}: <jane@acme.test>\r\n"));

    [Theory]
    [InlineData("To")]
    [InlineData("Cc")]
    [InlineData("Received")]
    [InlineData("X-Mailer")]
    public void Other_fields_may_be_repeated(string name) =>
        Assert.EndsWith($"{name}: a@b.test\r\n{name}: c@d.test\r\n\r\n", Ready($"{Whole}{name}: a@b.test\r\n{name}: c@d.test\r\n"));

    [Theory]
    [InlineData(" folded: first\r\n", "Line 1 of the header begins with a blank")]
    [InlineData("Subject: x\r\nno field\r\n", "Line 2 of the header is no header field; an empty line is missing above it")]
    [InlineData("Subject: x\r\n y\r\n: z\r\n", "Line 3 of the header is no header field; an empty line is missing above it")]
    [InlineData("Subject : x\r\n", "Line 1 of the header has a blank or another forbidden character before the colon")]
    [InlineData("Sübject: x\r\n", "Line 1 of the header has a blank or another forbidden character before the colon")]
    [InlineData("Subject: \u0007\r\n", "Line 1 of the header has a control character")]
    [InlineData("Subject: \0\r\n", "Line 1 of the header has a control character")]
    [InlineData("Subject: grüße\r\n", "Line 1 of the header has raw 8-bit text; it must be encoded (RFC 2047) or sent with SMTPUTF8")]
    public void A_malformed_line_is_refused_by_its_number(string header, string problem) =>
        Assert.Equal($"550 5.6.0 {problem} (RFC 5322 section 2.2)", Refused(header));

    [Fact]
    public void Raw_text_is_right_with_SMTPUTF8_when_it_is_UTF8()
    {
        var facts = Facts with { Envelope = Facts.Envelope with { SmtpUtf8 = true } };
        Assert.Contains("with UTF8SMTPSA id", Ready(Whole + "Subject: grüße\r\n", facts));
        var latin = Encoding.Latin1.GetBytes(Whole + "Subject: grüße\r\n");
        var refused = Assert.IsType<HeaderResult.Refused>(SubmissionHeader.Prepare(latin, facts, Limits));
        Assert.Equal("550 5.6.0 Line 4 of the header is not valid UTF-8 (RFC 5322 section 2.2)", refused.Reply.ToString());
    }

    [Fact]
    public void Received_shows_what_is_configured_and_cannot_be_broken_by_a_name()
    {
        var facts = Facts with { ShowClient = true, ShowLogin = true, Tls = null, Envelope = Envelope("bob@example.com", "carol@example.com") };
        Assert.StartsWith("Received: from laptop ([192.0.2.7])\r\n\t(authenticated as jane@acme.test)\r\n"
            + "\tby smtp.acme.test (Sallyport) with ESMTPA id MESSAGE1;\r\n\tTue, ", Ready(Whole, facts));
        facts = facts with { HeloName = "x) evil (", ClientAddress = "2001:db8::7", Grant = Facts.Grant with { Login = "cn=jane)\r\n(x" } };
        Assert.StartsWith("Received: from unknown ([IPv6:2001:db8::7])\r\n\t(authenticated as cn=jane????x)\r\n", Ready(Whole, facts));
    }

    [Fact]
    public void Several_recipients_are_not_named_in_Received() =>
        Assert.DoesNotContain("for <", Ready(Whole, Facts with { Envelope = Envelope("bob@example.com", "carol@example.com") }));

    [Fact]
    public void A_loop_through_this_server_is_seen_in_our_own_Received_lines()
    {
        Assert.EndsWith(Received + Received + Whole + "\r\n", Ready(Received + Received + Whole));
        Assert.Equal("554 5.4.6 The message loops: it has been here or elsewhere too often", Refused(Received + Received + Received + Whole));
    }

    [Fact]
    public void A_loop_elsewhere_is_seen_by_its_length()
    {
        string Hops(int n) => string.Concat(Enumerable.Repeat("Received: by elsewhere.example; now\r\n", n)) + Whole;
        Assert.IsType<HeaderResult.Ready>(Prepare(Hops(Limits.Hops)));
        Assert.StartsWith("554 5.4.6", Refused(Hops(Limits.Hops + 1)));
    }

    [Fact]
    public void More_fields_than_the_limit_are_refused()
    {
        var limits = Limits with { HeaderFields = 4 };
        Assert.IsType<HeaderResult.Ready>(SubmissionHeader.Prepare(Octets(Whole + "a: b\r\n"), Facts, limits));
        Assert.StartsWith("552 5.3.4", Assert.IsType<HeaderResult.Refused>(
            SubmissionHeader.Prepare(Octets(Whole + "a: b\r\nc: d\r\n"), Facts, limits)).Reply.ToString());
    }

    [Fact]
    public void A_last_line_without_CRLF_gets_one() => Assert.EndsWith(MessageId + "Subject: x\r\n\r\n", Ready(Whole + "Subject: x"));

    private static Envelope Envelope(params string[] recipients) => new(ReversePath.Null,
        [.. recipients.Select(text => new EnvelopeRecipient(
            new ForwardPath(MailboxParser.TryParse(text, out var mailbox) ? mailbox! : throw new ArgumentException(text)),
            DsnNotify.Unspecified, null))],
        BodyType.SevenBit, false, null, null);

    private static HeaderResult Prepare(string header, SubmissionFacts? facts = null) =>
        SubmissionHeader.Prepare(Octets(header), facts ?? Facts, Limits);

    private static string Ready(string header, SubmissionFacts? facts = null) =>
        Encoding.UTF8.GetString(Assert.IsType<HeaderResult.Ready>(Prepare(header, facts)).Header.Span);

    private static string Refused(string header, SubmissionFacts? facts = null) =>
        Assert.IsType<HeaderResult.Refused>(Prepare(header, facts)).Reply.ToString();

    private static byte[] Octets(string text) => Encoding.UTF8.GetBytes(text);
}

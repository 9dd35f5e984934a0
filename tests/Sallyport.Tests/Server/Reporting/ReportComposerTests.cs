using System.Text;
using CsCheck;
using MimeKit;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Reporting;
using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Reporting;

/// <summary>Reports as a mail program of another house reads them.</summary>
public sealed class ReportComposerTests
{
    private const string Original = "Subject: Lunch\r\nMessage-ID: <1@laptop>\r\n\r\nAt one?\r\n";

    [Fact]
    public void A_bounce_is_a_multipart_report_for_eyes_and_for_programs()
    {
        var (message, report) = Compose(Request("550 5.1.1 No such user", "mx.x.test", "a@x.test"));
        Assert.Equal("multipart/report", message.Body!.ContentType.MimeType);
        Assert.Equal("delivery-status", message.Body.ContentType.Parameters["report-type"]);
        Assert.Equal(["text/plain", "message/delivery-status", "message/rfc822"],
            Parts(message).Select(part => part.ContentType.MimeType));
        Assert.Equal("Undelivered mail: your message could not be delivered", message.Subject);
        Assert.Equal("\"Mail Delivery System\" <MAILER-DAEMON@smtp.acme.test>", message.From.ToString());
        Assert.Equal("jane@acme.test", message.To.Mailboxes.Single().Address);
        Assert.Equal("auto-replied", message.Headers["Auto-Submitted"]);
        Assert.Equal("MESSAGE0099@smtp.acme.test", message.MessageId);
        Assert.True(report.Record.Envelope.ReversePath.IsNull);
        Assert.Equal("<jane@acme.test>", report.Record.Envelope.Recipients.Single().Path.ToString());
        Assert.Equal(["dns; smtp.acme.test", "Tue, 24 Nov 2026 08:15:30 +0000"],
            [Field(message, 0, "Reporting-MTA"), Field(message, 0, "Arrival-Date")]);
        Assert.Equal(new Dictionary<string, string>
        {
            ["Final-Recipient"] = "rfc822; a@x.test",
            ["Action"] = "failed",
            ["Status"] = "5.1.1",
            ["Remote-MTA"] = "dns; mx.x.test",
            ["Diagnostic-Code"] = "smtp; 550 5.1.1 No such user",
            ["Last-Attempt-Date"] = "Tue, 24 Nov 2026 09:15:30 +0000",
        }, Status(message)[1].ToDictionary(field => field.Field, field => field.Value));
    }

    [Fact]
    public void The_words_name_the_recipient_the_answer_and_what_to_do()
    {
        var text = Text(Compose(Request("550 5.1.1 No such user", "mx.x.test", "a@x.test")).Message);
        Assert.Contains("They will not get it unless you send it again.", text, StringComparison.Ordinal);
        Assert.Contains("  a@x.test\n    The server mx.x.test said: 550 5.1.1 No such user\n", text, StringComparison.Ordinal);
        Assert.Contains("The address does not seem to exist: please check how it is written.", text, StringComparison.Ordinal);
        Assert.Contains("Queue id:   MESSAGE0001 at smtp.acme.test", text, StringComparison.Ordinal);
        Assert.Contains("Message-ID: <1@laptop>", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_delay_says_until_when_and_that_nothing_need_be_done()
    {
        var (message, _) = Compose(Request("450 4.2.1 Busy", "mx.x.test", "a@x.test") with
        {
            Kind = ReportKind.Delayed,
            RetryUntil = Now.AddDays(5),
            OriginalContent = null,
        });
        Assert.Contains("You need not do anything", Text(message), StringComparison.Ordinal);
        Assert.Equal(["delayed", "4.2.1", "Sun, 29 Nov 2026 08:15:30 +0000"],
            [Field(message, 1, "Action"), Field(message, 1, "Status"), Field(message, 1, "Will-Retry-Until")]);
        Assert.Equal("text/rfc822-headers", Part(message, 2).ContentType.MimeType);
    }

    [Fact]
    public void A_relayed_report_says_that_no_more_will_come()
    {
        var request = Request("250 2.0.0 Ok", "mx.x.test", "a@x.test");
        var (message, _) = Compose(request with { Kind = ReportKind.Relayed, OriginalContent = null });
        Assert.Equal(["relayed", "2.0.0"], [Field(message, 1, "Action"), Field(message, 1, "Status")]);
        Assert.Contains("this is the last you hear of it", Text(message), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("550-5.1.1 No such user 550 5.1.1 Ask the postmaster", "5.1.1", "does not seem to exist")]
    [InlineData("552 5.2.2 Full", "5.2.2", "mailbox is full")]
    [InlineData("550 No such user", "5.0.0", null)]
    [InlineData("550 4.1.1 Strange", "5.0.0", null)]
    [InlineData("550 5.1.1111 Strange", "5.0.0", null)]
    [InlineData("550 1.2.3.4 is blocked", "5.0.0", null)]
    [InlineData("550", "5.0.0", null)]
    [InlineData("", "5.0.0", null)]
    [InlineData("554 5.4.7 Given up after 5 days; the last answer was: 450 4.2.1 Busy", "5.4.7", "could not be reached for too long")]
    public void The_status_is_the_replys_own_code_where_it_fits(string reply, string status, string? advice)
    {
        var (message, _) = Compose(Request(reply, "mx.x.test", "a@x.test"));
        Assert.Equal(status, Field(message, 1, "Status"));
        Assert.Equal(("smtp; " + reply).TrimEnd(), Field(message, 1, "Diagnostic-Code"));
        Assert.Contains(advice ?? "",
            Text(message).ReplaceLineEndings(" ").Replace("     ", " ", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Our_own_reason_is_not_put_into_the_mouth_of_the_server_and_its_last_words_are_kept()
    {
        var request = Request("554 5.4.7 Given up after 5 days", "mx.x.test", "a@x.test");
        request = request with { Recipients = [request.Recipients[0] with { RemoteReply = "450 4.2.1 Busy" }] };
        var (message, _) = Compose(request);
        Assert.Contains("Reason: 554 5.4.7 Given up after 5 days", Text(message), StringComparison.Ordinal);
        Assert.Equal(["5.4.7", "smtp; 450 4.2.1 Busy"], [Field(message, 1, "Status"), Field(message, 1, "Diagnostic-Code")]);
        var never = Status(Compose(Request("554 5.4.7 Given up after 5 days", "", "a@x.test")).Message)[1];
        Assert.False(never.Contains("Remote-MTA") || never.Contains("Diagnostic-Code"));
    }

    [Fact]
    public void The_senders_own_marks_come_back()
    {
        var request = Request("550 5.1.1 No", "mx.x.test", "a@x.test", "b@x.test");
        var record = request.About.Record with { Envelope = request.About.Record.Envelope with { EnvelopeId = "QQ314159" } };
        var first = request.Recipients[0];
        request = request with
        {
            About = request.About with { Record = record },
            Recipients = [first with { Recipient = first.Recipient with { OriginalRecipient = "rfc822;old@x.test" } }, request.Recipients[1]],
        };
        var status = Status(Compose(request).Message);
        Assert.Equal("QQ314159", status[0]["Original-Envelope-Id"]);
        Assert.Equal("rfc822;old@x.test", status[1]["Original-Recipient"]);
        Assert.Equal("rfc822; b@x.test", status[2]["Final-Recipient"]);
        Assert.False(status[2].Contains("Original-Recipient"));
    }

    [Fact]
    public void The_whole_message_or_its_header_comes_back()
    {
        var whole = Compose(Request("550 5.1.1 No", "mx", "a@x.test")).Message;
        Assert.Equal("At one?\r\n",
            Assert.IsType<TextPart>(Assert.IsType<MessagePart>(Part(whole, 2)).Message!.Body).Text.ReplaceLineEndings("\r\n"));
        var header = Compose(Request("550 5.1.1 No", "mx", "a@x.test") with { OriginalContent = null }).Message;
        Assert.Equal("text/rfc822-headers", Part(header, 2).ContentType.MimeType);
        Assert.Contains("Subject: Lunch", header.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("At one?", header.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_report_to_an_ASCII_address_is_ASCII_all_through_whatever_it_is_about(bool whole)
    {
        var original = "Subject: Gr\u00fc\u00dfe\r\n\r\n\u00dcber uns\r\n";
        var request = Request("550 5.1.1 Gibt\u2019s nicht \U0001F4EE", "mx.x.test", "j\u00f6rg@m\u00fcller.test") with
        {
            OriginalHeader = Utf8(original[..(original.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)]),
            OriginalContent = whole ? (ReadOnlyMemory<byte>?)Utf8(original) : null,
        };
        var (message, report) = Compose(request);
        byte[] octets = [.. report.Header.Span, .. report.Body.Span];
        Assert.DoesNotContain(octets, octet => octet > 127);
        Assert.False(report.Record.HasEightBit || report.Record.Envelope.SmtpUtf8);
        Assert.Equal(@"utf-8; j\x{F6}rg@m\x{FC}ller.test", Field(message, 1, "Final-Recipient"));
        Assert.Equal(@"smtp; 550 5.1.1 Gibt\x{2019}s nicht \x{1F4EE}", Field(message, 1, "Diagnostic-Code"));
        Assert.Contains("j\u00f6rg@m\u00fcller.test", Text(message), StringComparison.Ordinal);
        Assert.Equal(whole ? "message/global" : "text/rfc822-headers", Part(message, 2).ContentType.MimeType);
    }

    [Fact]
    public void A_report_to_an_international_address_asks_for_SMTPUTF8_in_its_envelope_alone()
    {
        var request = Request("550 5.1.1 No", "mx.x.test", "a@x.test");
        var record = request.About.Record;
        var (_, report) = Compose(request with
        {
            About = request.About with { Record = record with { Envelope = record.Envelope with { ReversePath = new(Box("jos\u00e9@acme.test")) } } },
        });
        Assert.True(report.Record.Envelope.SmtpUtf8);
        Assert.False(report.Record.HasEightBit || report.Record.HasUtf8Header);
        var text = Encoding.UTF8.GetString([.. report.Header.Span, .. report.Body.Span]);
        Assert.DoesNotContain(text, c => c > 127);
        Assert.Contains("To: =?utf-8?", text, StringComparison.Ordinal);
        Assert.Equal("jos\u00e9@acme.test", Assert.Single(Compose(request with
        {
            About = request.About with { Record = record with { Envelope = record.Envelope with { ReversePath = new(Box("jos\u00e9@acme.test")) } } },
        }).Message.To).Name);
        Assert.Contains("message/global-delivery-status", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_international_domain_of_the_sender_is_written_in_ASCII()
    {
        var request = Request("550 5.1.1 No", "mx.x.test", "a@x.test");
        var record = request.About.Record;
        var envelope = record.Envelope with { ReversePath = new(Box("jane@m\u00fcller.test")) };
        var (_, report) = Compose(request with { About = request.About with { Record = record with { Envelope = envelope } } });
        Assert.False(report.Record.Envelope.SmtpUtf8);
        Assert.Equal("<jane@xn--mller-kva.test>", report.Record.Envelope.Recipients.Single().Path.ToString());
        Assert.Contains("To: <jane@xn--mller-kva.test>\r\n", Encoding.UTF8.GetString(report.Header.Span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("550 5.1.1 No\r\nBcc: evil@x.test\r\n\r\nBuy")]
    [InlineData("550 5.1.1 \u001b[2J\u2028\u0085 gone")]
    [InlineData("550 5.1.1 --=-boundary--")]
    public void What_a_hostile_server_says_adds_no_line_and_no_field(string reply)
    {
        var (message, report) = Compose(Request(reply, "mx.x.test", "a@x.test"));
        Assert.Equal(6, Status(message)[1].Count);
        Assert.Equal(3, Parts(message).Count);
        Assert.DoesNotContain("Bcc", Status(message)[1].Select(field => field.Field));
        Assert.DoesNotContain((byte)0x1b, report.Body.ToArray());
    }

    [Fact]
    public void Whatever_a_server_says_the_report_is_mail_with_three_parts_and_short_lines() =>
        Gen.Select(Gen.String[0, 3000], Gen.Bool).Sample((reply, international) =>
        {
            var request = Request(reply, "mx.x.test", "a@x.test");
            var record = request.About.Record;
            var sender = international ? "jos\u00e9@acme.test" : "jane@acme.test";
            var (message, report) = Compose(request with
            {
                About = request.About with { Record = record with { Envelope = record.Envelope with { ReversePath = new(Box(sender)) } } },
            });
            Assert.Equal(3, Parts(message).Count);
            byte[] octets = [.. report.Header.Span, .. report.Body.Span];
            Assert.All(Encoding.UTF8.GetString(octets).Split("\r\n"), line => Assert.InRange(Encoding.UTF8.GetByteCount(line), 0, 998));
            Assert.Equal(octets.Count(octet => octet == '\n'), octets.AsSpan().Count("\r\n"u8));
            Assert.Equal(octets.Count(octet => octet == '\r'), octets.AsSpan().Count("\r\n"u8));
        }, iter: 300);

    private static ReportRequest Request(string reply, string remote, params string[] recipients)
    {
        var record = Record(recipients);
        var rows = recipients.Select((text, i) => new SpooledRecipient(
            i, new ForwardPath(Box(text)), DsnNotify.Unspecified, null, RecipientState.InProgress, 1, Now, "", false)).ToList();
        var header = Original[..(Original.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)];
        return new ReportRequest(Id(99), Now.AddHours(1), "smtp.acme.test", new SpooledMessage(Id(1), record, Original.Length, [.. rows]),
            ReportKind.Failed, [.. rows.Select(row => new ReportedRecipient(row, reply, remote))], Utf8(header), Utf8(Original), null);
    }

    private static (MimeMessage Message, NewMessage Report) Compose(ReportRequest request)
    {
        var report = ReportComposer.Compose(request);
        using var octets = new MemoryStream([.. report.Header.Span, .. report.Body.Span]);
        return (MimeMessage.Load(octets), report);
    }

    private static HeaderListCollection Status(MimeMessage message) => ((MessageDeliveryStatus)Part(message, 1)).StatusGroups;

    private static string Field(MimeMessage message, int group, string name) => Status(message)[group][name] ?? "";

    private static Multipart Parts(MimeMessage message) => (Multipart)message.Body!;

    private static MimeEntity Part(MimeMessage message, int index) => Parts(message)[index];

    private static string Text(MimeMessage message) =>
        ((TextPart)Part(message, 0)).GetText(Encoding.UTF8).ReplaceLineEndings("\n");

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}

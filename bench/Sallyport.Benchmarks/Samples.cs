using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Smtp;

namespace Sallyport.Benchmarks;

/// <summary>A message as a client sends it.</summary>
internal static class Samples
{
    public static readonly byte[] Header = Encoding.ASCII.GetBytes(
        "Received: from laptop ([192.0.2.7]) by smtp.acme.test with ESMTPSA id 1; Tue, 24 Nov 2026 08:15:30 +0000\r\n"
        + "From: Jane Doe <jane@acme.test>\r\nTo: Bob <bob@example.com>,\r\n Carol <carol@example.com>\r\nSubject: =?utf-8?q?J=C3=BCrgen?=\r\n"
        + "Date: Tue, 24 Nov 2026 08:15:30 +0000\r\nMessage-ID: <1@laptop.acme.test>\r\nMIME-Version: 1.0\r\n"
        + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");

    public static byte[] Body(int bytes)
    {
        var body = new StringBuilder();
        while (body.Length < bytes)
        {
            body.Append("This line is as long as most of them are in mail that people write to each other.\r\n");
        }

        return Encoding.ASCII.GetBytes(body.ToString(0, bytes - 2) + "\r\n");
    }

    public static Mailbox Mailbox(string text) =>
        MailboxParser.TryParse(text, out var mailbox) ? mailbox! : throw new ArgumentException(text, nameof(text));

    public static Envelope Envelope(int recipients) => new(
        new ReversePath(Mailbox("jane@acme.test")),
        [
            .. Enumerable.Range(0, recipients)
                .Select(i => new EnvelopeRecipient(new ForwardPath(Mailbox($"bob{i}@example.com")), DsnNotify.Unspecified, null)),
        ],
        BodyType.SevenBit, false, null, null);
}

using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Content;
using Sallyport.Mail.Smtp;

namespace Sallyport.Fuzz.Targets;

/// <summary>The header as it streams in, whole and in pieces, and the addresses in it.</summary>
public static class HeaderTarget
{
    private static readonly SmtpLimits Limits = new();

    public static void Fuzz(ReadOnlySpan<byte> octets)
    {
        var whole = Collect(octets, octets.Length);
        var pieces = Collect(octets, octets.Length > 0 ? 1 + (octets[0] % 7) : 1);
        BrokenInvariantException.Unless(Equals(whole.Refusal, pieces.Refusal), "what is refused depends on how it arrives");
        BrokenInvariantException.Unless(
            whole.Refusal is not null || whole.Header.Span.SequenceEqual(pieces.Header.Span), "the header depends on how it arrives");
        foreach (var international in (bool[])[false, true])
        {
            var (block, refusal) = HeaderBlock.Parse(octets.ToArray(), Limits, international);
            BrokenInvariantException.Unless(block is null != refusal is null, "a block or a refusal");
        }

        var mailboxes = new List<Mailbox>();
        if (AddressListParser.TryParse(octets, mailboxes))
        {
            BrokenInvariantException.Unless(
                mailboxes.All(mailbox => MailboxParser.TryParse(mailbox.ToString(), out _)), "a list gives what is no mailbox");
        }

        _ = EncodedWords.Decode(Encoding.Latin1.GetString(octets));
    }

    private static HeaderCollector Collect(ReadOnlySpan<byte> octets, int piece)
    {
        var collector = new HeaderCollector(Limits);
        while (!octets.IsEmpty && !collector.IsComplete && collector.Refusal is null)
        {
            var part = octets[..Math.Min(Math.Max(1, piece), octets.Length)];
            collector.Append(part, out var consumed);
            octets = octets[(collector.IsComplete || collector.Refusal is not null ? consumed : part.Length)..];
        }

        collector.Finish();
        return collector;
    }
}

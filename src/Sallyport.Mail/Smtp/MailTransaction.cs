using System.Text;
using Sallyport.Mail.Addressing;

namespace Sallyport.Mail.Smtp;

/// <summary>One mail transaction (RFC 5321 §3.3), from MAIL to the end of content. The same mailbox twice is one recipient.</summary>
internal sealed class MailTransaction
{
    private readonly List<EnvelopeRecipient> _recipients = [];
    private readonly HashSet<Mailbox> _mailboxes = new(new SameMailbox());
    private Command.Mail? _mail;
    private long _chunkBytes;

    /// <summary>A chunk was refused: those that follow are read and thrown away.</summary>
    public bool ChunksFailed { get; set; }

    public int Recipients => _recipients.Count;

    public bool SmtpUtf8 => _mail!.SmtpUtf8;

    /// <summary>Null outside a transaction.</summary>
    public Envelope? Envelope => _mail is null
        ? null
        : new(_mail.ReversePath, [.. _recipients], _mail.Body, _mail.SmtpUtf8, _mail.EnvelopeId, _mail.Return);

    public void Begin(Command.Mail mail) => _mail = mail;

    public bool Has(Mailbox mailbox) => _mailboxes.Contains(mailbox);

    public void Add(EnvelopeRecipient recipient)
    {
        if (_mailboxes.Add(recipient.Path.Mailbox))
        {
            _recipients.Add(recipient);
        }
    }

    /// <summary>False when all chunks together pass the limit.</summary>
    public bool TakesChunk(long bytes, long limit)
    {
        _chunkBytes = Math.Min(_chunkBytes + bytes, limit + 1);
        return _chunkBytes <= limit;
    }

    public void End()
    {
        _mail = null;
        _recipients.Clear();
        _mailboxes.Clear();
        _chunkBytes = 0;
        ChunksFailed = false;
    }

    /// <summary>By <see cref="Mailbox.Canonical"/>, without making that text where the local part is ASCII.</summary>
    private sealed class SameMailbox : IEqualityComparer<Mailbox>
    {
        public bool Equals(Mailbox? x, Mailbox? y) => x!.AsciiDomain == y!.AsciiDomain
            && (Ascii.IsValid(x.LocalPart) && Ascii.IsValid(y.LocalPart)
                ? x.LocalPart.Equals(y.LocalPart, StringComparison.OrdinalIgnoreCase)
                : x.Canonical == y.Canonical);

        // A letter beyond ASCII may have an ASCII one as its lower case.
        public int GetHashCode(Mailbox mailbox) => string.GetHashCode(
            Ascii.IsValid(mailbox.LocalPart) ? mailbox.LocalPart : mailbox.LocalPart.ToLowerInvariant(), StringComparison.OrdinalIgnoreCase);
    }
}

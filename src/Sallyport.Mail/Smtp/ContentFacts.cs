namespace Sallyport.Mail.Smtp;

/// <summary>What was seen of a message's content while it was decoded.</summary>
public sealed class ContentFacts
{
    /// <summary>Octets after decoding.</summary>
    public long Bytes { get; internal set; }

    public bool BareNewline { get; internal set; }

    public bool Nul { get; internal set; }

    /// <summary>An octet above 127.</summary>
    public bool EightBit { get; internal set; }

    /// <summary>The first line over the limit, from 1; 0 for none.</summary>
    public int OverlongLine { get; internal set; }

    public int OverlongLineBytes { get; internal set; }

    /// <summary>Why this content cannot be kept; null when it can.</summary>
    public Reply? Verdict(SmtpLimits limits, bool normaliseBareNewlines)
    {
        if (Bytes > limits.MessageBytes)
        {
            return Replies.TooBig(limits.MessageBytes);
        }

        if (Nul)
        {
            return Replies.NulRefused;
        }

        if (BareNewline && !normaliseBareNewlines)
        {
            return Replies.BareNewlineRefused;
        }

        return OverlongLine > 0 ? Replies.ContentLineTooLong(OverlongLine, OverlongLineBytes, limits.ContentLineBytes) : null;
    }
}

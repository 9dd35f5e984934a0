namespace Sallyport.Mail.Addressing;

/// <summary>Where reports about a message go (RFC 5321 §3.3); null is "&lt;&gt;", which is never answered by a report.</summary>
public readonly record struct ReversePath(Mailbox? Mailbox)
{
    public static ReversePath Null => default;

    public bool IsNull => Mailbox is null;

    public override string ToString() => Mailbox is null ? "<>" : "<" + Mailbox + ">";
}

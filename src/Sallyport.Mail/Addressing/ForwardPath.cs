namespace Sallyport.Mail.Addressing;

/// <summary>One recipient (RFC 5321 §3.3). A source route, if any was written, is already dropped (RFC 5321 appendix C).</summary>
public readonly record struct ForwardPath(Mailbox Mailbox)
{
    public override string ToString() => "<" + Mailbox + ">";
}

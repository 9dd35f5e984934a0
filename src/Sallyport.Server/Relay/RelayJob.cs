using System.Collections.Immutable;
using Sallyport.Mail.Relaying;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <summary>A claimed message on this node, shared by its jobs; the last one to end gives its room back.</summary>
internal sealed class RelayedMessage(SpooledMessage message, int jobs)
{
    private int _jobs = jobs;

    public SpooledMessage Message => message;

    /// <summary>True for the last.</summary>
    public bool EndJob() => Interlocked.Decrement(ref _jobs) == 0;
}

/// <summary>Recipients of one message with the same next hop, in one transaction.</summary>
internal sealed record RelayJob(RelayedMessage Parent, ImmutableArray<SpooledRecipient> Recipients)
{
    public SpooledMessage Message => Parent.Message;

    public RelayMail ToMail()
    {
        var envelope = Message.Record.Envelope;
        return new RelayMail(envelope.ReversePath,
            [.. Recipients.Select(r => new RelayRecipient(r.Number, r.Path, r.Notify, r.OriginalRecipient))],
            Message.Record.HasEightBit, envelope.SmtpUtf8, envelope.EnvelopeId, envelope.Return, Message.ContentBytes);
    }
}

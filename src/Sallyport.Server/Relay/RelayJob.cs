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
/// <param name="Returned">How often it was put back into the queue of its next hop untried.</param>
internal sealed record RelayJob(RelayedMessage Parent, ImmutableArray<SpooledRecipient> Recipients, int Returned = 0)
{
    public SpooledMessage Message => Parent.Message;

    public RelayMail ToMail(ImmutableArray<SpooledRecipient> recipients)
    {
        var record = Message.Record;
        return new RelayMail(record.Envelope.ReversePath,
            [.. recipients.Select(r => new RelayRecipient(r.Number, r.Path, r.Notify, r.OriginalRecipient))],
            record.HasEightBit, record.Envelope.SmtpUtf8, record.Envelope.EnvelopeId, record.Envelope.Return, Message.ContentBytes,
            record.HasUtf8Header);
    }
}

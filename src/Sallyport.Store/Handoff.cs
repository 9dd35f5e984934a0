using System.Threading.Channels;

namespace Sallyport.Store;

/// <summary>
/// Where submission and relay meet: a message just committed goes on to this node's relay without being read back, as long as
/// there is room in memory for it. Without room it is committed as due and claimed from the spool later.
/// </summary>
/// <param name="messagesMax">Messages there is room for.</param>
/// <param name="bytesMax">Octets of content there is room for.</param>
public sealed class Handoff(int messagesMax, long bytesMax)
{
    private readonly Channel<SpooledMessage> _accepted = Channel.CreateUnbounded<SpooledMessage>(
        new UnboundedChannelOptions { SingleReader = true });

    private readonly Channel<bool> _due = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private long _bytesMax = bytesMax;
    private long _bytes;
    private int _messagesMax = messagesMax;
    private int _messages;

    /// <summary>What the relay takes from.</summary>
    public ChannelReader<SpooledMessage> Accepted => _accepted.Reader;

    /// <summary>Something in the spool fell due, or falls due earlier than it did.</summary>
    public ChannelReader<bool> Due => _due.Reader;

    /// <summary>Another size from now on; what is inside stays.</summary>
    public void Resize(int messages, long bytes)
    {
        Volatile.Write(ref _messagesMax, messages);
        Volatile.Write(ref _bytesMax, bytes);
    }

    /// <summary>Takes room for one message before its commit; null when there is none. Disposed when the message is settled or refused.</summary>
    public Reservation? TryReserve(long bytes)
    {
        if (Interlocked.Increment(ref _messages) > Volatile.Read(ref _messagesMax)
            | Interlocked.Add(ref _bytes, bytes) > Volatile.Read(ref _bytesMax))
        {
            Release(bytes);
            return null;
        }

        return new Reservation(this, bytes);
    }

    /// <summary>
    /// A message was committed: what of it is in progress goes to the relay, what is due is told, what is held stays where it is.
    /// </summary>
    /// <param name="reservation">The room taken for it, which goes with it to the relay or is released; null when it had none.</param>
    public void Committed(SpooledMessage message, Reservation? reservation)
    {
        if (reservation is not null && message.Recipients.Any(recipient => recipient.State == RecipientState.InProgress))
        {
            Offer(message with { Reservation = reservation });
            return;
        }

        reservation?.Dispose();
        if (message.Recipients.Any(recipient => recipient.State == RecipientState.Due))
        {
            Wake();
        }
    }

    /// <summary>Hands over a message committed with its claim.</summary>
    public void Offer(SpooledMessage message) => _accepted.Writer.TryWrite(message);

    /// <summary>Says that the spool should be looked at.</summary>
    public void Wake() => _due.Writer.TryWrite(true);

    private void Release(long bytes)
    {
        Interlocked.Decrement(ref _messages);
        Interlocked.Add(ref _bytes, -bytes);
    }

    /// <summary>Room in memory for one message. Disposed as often as one likes, it is given back once.</summary>
    public sealed class Reservation : IDisposable
    {
        private readonly long _bytes;
        private Handoff? _of;

        internal Reservation(Handoff of, long bytes) => (_of, _bytes) = (of, bytes);

        public void Dispose() => Interlocked.Exchange(ref _of, null)?.Release(_bytes);
    }
}

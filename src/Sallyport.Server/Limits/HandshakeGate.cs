namespace Sallyport.Server.Limits;

/// <summary>How many TLS handshakes are half done: each costs us a signature before the client has shown anything.</summary>
public sealed class HandshakeGate
{
    private int _open;

    /// <summary>False when <paramref name="limit"/> are under way. Each that began must <see cref="End"/>.</summary>
    public bool TryBegin(int limit)
    {
        if (Interlocked.Increment(ref _open) <= limit)
        {
            return true;
        }

        End();
        return false;
    }

    public void End() => Interlocked.Decrement(ref _open);
}

namespace Sallyport.Server.Certificates;

/// <summary>
/// The certificates in force for all listeners of this process. A reload or a renewal swaps the whole set; a connection keeps the set it
/// began with, and what a session was bound to stays what it was.
/// </summary>
public sealed class CertificateStore(CertificateSet first)
{
    private CertificateSet _current = first;

    /// <summary>Told of each new set once it is in force, on the thread that swapped it.</summary>
#pragma warning disable CA1003 // a set is a value of ours and no EventArgs
    public event Action<CertificateSet>? Changed;
#pragma warning restore CA1003

    public CertificateSet Current => Volatile.Read(ref _current);

    public void Swap(CertificateSet next)
    {
        Volatile.Write(ref _current, next);
        Changed?.Invoke(next);
    }
}

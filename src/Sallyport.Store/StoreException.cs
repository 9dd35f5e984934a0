namespace Sallyport.Store;

/// <summary>The store cannot be opened or has failed. Nothing a mail client does causes it.</summary>
public sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Another process holds the store: it may be a server that has not begun to answer yet.</summary>
    public bool InUse { get; init; }
}

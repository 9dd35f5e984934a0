namespace Sallyport.Server.Configuration;

/// <summary>The server cannot start, or not with this configuration; the message says why and what to do.</summary>
public sealed class StartException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Another process holds the store: it may be a server that has not begun to answer yet.</summary>
    public bool InUse { get; init; }
}

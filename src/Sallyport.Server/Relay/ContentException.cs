namespace Sallyport.Server.Relay;

/// <summary>What we keep of a message cannot be read, or is nothing mail can carry: no fault of any host or folder.</summary>
public sealed class ContentException(string message, Exception inner) : Exception(message, inner);

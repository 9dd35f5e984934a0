namespace Sallyport.Store;

/// <summary>The store cannot be opened or has failed. Nothing a mail client does causes it.</summary>
public sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner);

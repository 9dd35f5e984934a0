namespace Sallyport.Server.Identity.Servers;

/// <summary>A directory's server cannot be asked, or answers nothing that could be understood: nothing was judged.</summary>
internal sealed class ServerTroubleException(string message) : Exception(message);

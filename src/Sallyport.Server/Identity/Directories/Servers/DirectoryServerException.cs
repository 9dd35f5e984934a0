namespace Sallyport.Server.Identity.Directories.Servers;

/// <summary>A directory's server cannot be asked, or answers nothing that could be understood: nothing was judged.</summary>
internal sealed class DirectoryServerException(string message) : Exception(message);

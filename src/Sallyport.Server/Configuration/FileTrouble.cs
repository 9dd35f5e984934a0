using Sallyport.Store;

namespace Sallyport.Server.Configuration;

/// <summary>Why a file cannot be used, in an administrator's words.</summary>
public static class FileTrouble
{
    public static bool IsOf(Exception exception) => exception is IOException or UnauthorizedAccessException or NotSupportedException;

    /// <summary>Goes on after the file's name and a colon.</summary>
    public static string Say(Exception exception, string path) => exception switch
    {
        _ when Directory.Exists(path) => "it is a directory",
        FileNotFoundException or DirectoryNotFoundException when Path.GetDirectoryName(path) is { Length: > 0 } above && !Directory.Exists(above) =>
            $"there is no directory {above}",
        FileNotFoundException => "there is no such file",
        DirectoryNotFoundException => "its directory is not there",
        UnauthorizedAccessException => $"{UnixFile.CurrentUser} has no permission",
        PathTooLongException => "the name is too long",
        _ => WithoutPath(exception.Message),
    };

    /// <summary>.NET writes "No space left on device : '/var/log/x'".</summary>
    private static string WithoutPath(string message)
    {
        var path = message.IndexOf(" : '", StringComparison.Ordinal);
        return path > 0 ? message[..path] : message;
    }
}

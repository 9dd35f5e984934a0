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
        FileNotFoundException when Path.GetDirectoryName(path) is { Length: > 0 } folder && !Directory.Exists(folder) =>
            $"there is no directory {folder}",
        FileNotFoundException => "there is no such file",
        DirectoryNotFoundException when path.Length == 0 => "its directory is not there",
        DirectoryNotFoundException => $"there is no directory {Path.GetDirectoryName(path)}",
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

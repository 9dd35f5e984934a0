using System.Buffers;

namespace Sallyport;

/// <summary>Commands as they are typed into a shell.</summary>
internal static class Shell
{
    private static readonly SearchValues<char> Plain =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,");

    /// <summary>How this program is called here: by its name where the PATH leads to it, by its path elsewhere.</summary>
    public static string Self(string? process, string? path, IReadOnlyList<string> commandLine)
    {
        if (process is null)
        {
            return "sallyport";
        }

        if (Path.GetFileNameWithoutExtension(process) == "dotnet")
        {
            return commandLine.Count > 0 ? "dotnet " + Quote(Path.GetFullPath(commandLine[0])) : "sallyport";
        }

        var found = (path ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, Path.GetFileName(process))).FirstOrDefault(File.Exists);
        return found == process ? Path.GetFileName(process) : Quote(process);
    }

    public static string Self() =>
        Self(Environment.ProcessPath, Environment.GetEnvironmentVariable("PATH"), Environment.GetCommandLineArgs());

    public static string Quote(string word) => word.Length > 0 && word.AsSpan().IndexOfAnyExcept(Plain) < 0
        ? word
        : "'" + word.Replace("'", @"'\''", StringComparison.Ordinal) + "'";
}

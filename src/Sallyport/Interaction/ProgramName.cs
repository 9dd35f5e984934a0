using Sallyport.Server.Telemetry;

namespace Sallyport.Interaction;

/// <summary>How this program is called in commands shown for copying: by its name where the PATH leads to it, by its path elsewhere.</summary>
internal static class ProgramName
{
    public static string Here() => Here(Environment.ProcessPath, Environment.GetEnvironmentVariable("PATH"), Environment.GetCommandLineArgs());

    public static string Here(string? process, string? path, IReadOnlyList<string> commandLine)
    {
        if (process is null)
        {
            return "sallyport";
        }

        if (Path.GetFileNameWithoutExtension(process) == "dotnet")
        {
            return commandLine.Count > 0 ? "dotnet " + ShellWord.Of(Path.GetFullPath(commandLine[0])) : "sallyport";
        }

        var found = (path ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, Path.GetFileName(process))).FirstOrDefault(File.Exists);
        return found == process ? Path.GetFileName(process) : ShellWord.Of(process);
    }
}

using System.Runtime.CompilerServices;

namespace Sallyport.Tests.Tidy;

/// <summary>The repository's own files, as the tidy tests read them.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot();

    public static IEnumerable<SourceFile> CSharp(params string[] folders) =>
        folders.SelectMany(folder => Files(folder, "*.cs"));

    public static string Read(string relative) => File.ReadAllText(Path.Combine(Root, relative));

    public static bool Exists(string relative) =>
        File.Exists(Path.Combine(Root, relative)) || Directory.Exists(Path.Combine(Root, relative));

    public static IEnumerable<string> Folders(string folder) =>
        Directory.EnumerateDirectories(Path.Combine(Root, folder), "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Contains("/bin", StringComparison.Ordinal) && !path.Contains("/obj", StringComparison.Ordinal))
            .Where(path => Directory.EnumerateFiles(Path.Combine(Root, path)).Any());

    private static IEnumerable<SourceFile> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal))
            .Select(path => new SourceFile(path, File.ReadAllLines(Path.Combine(Root, path))));

    private static string FindRoot([CallerFilePath] string here = "")
    {
        for (var folder = Path.GetDirectoryName(here); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Sallyport.slnx")))
            {
                return folder;
            }
        }

        throw new InvalidOperationException("Sallyport.slnx was not found above " + here);
    }
}

internal sealed record SourceFile(string Path, string[] Lines);

using System.Text;
using Sallyport.Store;

namespace Sallyport.Server.Identity.Import;

/// <summary>Writes a file so that it is there whole or not at all, now and after a power cut.</summary>
internal static class WholeFile
{
    /// <param name="owner">The directory whose owner gets a file that was not there, where root writes it.</param>
    /// <exception cref="IOException">The file is as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">The file is as it was.</exception>
    public static void Write(string path, string owner, IEnumerable<string> lines)
    {
        var target = File.Exists(path) ? new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path : path;
        var folder = Path.GetDirectoryName(Path.GetFullPath(target))!;
        var draft = Path.Combine(folder, $".{Path.GetFileName(target)}.{Path.GetRandomFileName()}");
        if (File.Exists(target) && !UnixFile.RunsAsRoot && UnixFile.Owner(target) is { } other && other != UnixFile.CurrentUser)
        {
            throw new IOException(UnixFile.ExplainNoAccess(target, folder)); // ours in its place could not be read by its owner
        }

        try
        {
            using (var stream = new FileStream(draft, Options()))
            {
                UnixFile.GiveToOwnerOf(File.Exists(target) ? target : owner, draft);
                using var writer = new StreamWriter(stream, new UTF8Encoding(false)) { NewLine = "\n" };
                foreach (var line in lines)
                {
                    writer.WriteLine(line);
                }

                writer.Flush();
                stream.Flush(flushToDisk: true);
            }

            File.Move(draft, target, overwrite: true);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }

        DirectoryFlush.Flush(folder);
    }

    private static FileStreamOptions Options()
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }
}

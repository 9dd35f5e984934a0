using System.Globalization;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <summary>Keeps messages in a Maildir in place of relaying them: written in tmp, flushed, then moved to new.</summary>
public static class Maildir
{
    /// <summary>Returns 250 once the message is on stable storage under its name; 451 when the folder does not take it.</summary>
    /// <exception cref="ContentException">What we keep of the message cannot be read.</exception>
    public static async Task<Reply> WriteAsync(
        string folder, SpooledMessage message, int attempt, IAsyncEnumerable<ReadOnlyMemory<byte>> content, CancellationToken cancel)
    {
        var written = "";
        try
        {
            Prepare(folder);
            var seconds = message.Record.ReceivedAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            var recipient = message.Recipients[0].Number.ToString(CultureInfo.InvariantCulture);
            var file = $"{seconds}.{message.Id}R{recipient}A{attempt.ToString(CultureInfo.InvariantCulture)}.{Host()}";
            var path = Path.Combine(folder, "tmp", file);
            written = path;
            await using (var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 64 * 1024, FileOptions.Asynchronous))
            {
                await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(Envelope(message)), cancel);
                await foreach (var piece in content.WithCancellation(cancel))
                {
                    await stream.WriteAsync(piece, cancel);
                }

#pragma warning disable CA1849 // only this one flushes to the disk
                stream.Flush(flushToDisk: true);
#pragma warning restore CA1849
            }

            File.Move(path, Path.Combine(folder, "new", file), overwrite: true);
            written = "";
            DirectoryFlush.Flush(Path.Combine(folder, "new")); // before that a power cut may take back the name
            return new Reply(250, new(2, 0, 0), "Kept as " + file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new Reply(451, new(4, 3, 0), DisplayText.Sanitize($"The Maildir {folder} takes no message: {exception.Message}"));
        }
        finally
        {
            Remove(written);
        }
    }

    private static void Prepare(string folder)
    {
        if (!Directory.Exists(folder))
        {
            MakeForUs(folder);
            DirectoryFlush.Flush(Path.GetDirectoryName(Path.GetFullPath(folder)) ?? folder);
        }

        foreach (var path in ((string[])["tmp", "new", "cur"]).Select(name => Path.Combine(folder, name)).Where(path => !Directory.Exists(path)))
        {
            MakeForUs(path);
            DirectoryFlush.Flush(folder);
        }
    }

    /// <summary>Half a message in tmp helps nobody; with a full disk it even stands in the way.</summary>
    private static void Remove(string path)
    {
        if (path.Length == 0)
        {
            return;
        }

        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // What keeps it from being removed kept it from being written, and has been said.
        }
    }

    /// <summary>Mail is nobody else's to read.</summary>
    private static void MakeForUs(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return;
        }

        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>What final delivery adds (RFC 5321 §4.4), so that a captured message shows whom it was for.</summary>
    private static string Envelope(SpooledMessage message) =>
        $"Return-Path: {message.Record.Envelope.ReversePath}\r\n"
        + string.Concat(message.Recipients.Select(recipient => $"Delivered-To: {recipient.Path.Mailbox}\r\n"));

    private static string Host() => Environment.MachineName.Replace('/', '_').Replace(':', '_');
}

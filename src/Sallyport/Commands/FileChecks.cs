using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Interaction;
using Sallyport.Server.Certificates;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Commands;

/// <summary>What doctor looks at on the disk.</summary>
internal static class FileChecks
{
    private static readonly TimeSpan CertificateSoon = TimeSpan.FromDays(14);

    /// <summary>There is nothing to say.</summary>
    public static Finding Nothing { get; } = new("", "", "");

    /// <summary>Root may write everywhere, and so cannot find out what the service may not.</summary>
    public static Finding User(ServerOptions options) =>
        UnixFile.RunsAsRoot && UnixFile.Owner(options.Data) is { } owner && owner != UnixFile.CurrentUser
            ? new("user", "warning", $"this runs as {UnixFile.CurrentUser}: `sudo -u {owner} sallyport doctor` also sees what {owner} may not do")
            : Nothing;

    public static Finding Certificate(ServerOptions options)
    {
        try
        {
            return ServerCertificate.Load(options) is { Leaf: var leaf }
                ? Judge(leaf, options.Hostname, TimeProvider.System.GetUtcNow())
                : Nothing;
        }
        catch (StartException exception)
        {
            return new("certificate", "failed", exception.Message);
        }
    }

    /// <summary>Its days first: nothing else about a certificate that is over is of interest.</summary>
    public static Finding Judge(X509Certificate2 leaf, string hostname, DateTimeOffset now)
    {
        var (from, until) = (leaf.NotBefore.ToUniversalTime(), leaf.NotAfter.ToUniversalTime());
        return until < now.UtcDateTime ? new("certificate", "failed", $"expired {Day(until)}: clients refuse it")
            : from > now.UtcDateTime ? new("certificate", "failed", $"is valid only from {Day(from)}: clients refuse it, or this clock is wrong")
            : !leaf.MatchesHostname(hostname) ? new("certificate", "warning", $"is not for {hostname}: clients that use this name will complain")
            : until - now.UtcDateTime < CertificateSoon ? new("certificate", "warning", $"ends soon: {Day(until)}")
            : new("certificate", "ok", $"for {hostname}, valid until {Day(until)}");
    }

    public static Finding Log(ServerOptions options)
    {
        if (options.Log.File is not { } file)
        {
            return Nothing;
        }

        try
        {
            var isNew = !File.Exists(file);
            LineLog.Target(file)().Dispose();
            if (isNew)
            {
                File.Delete(file);
            }

            return new("log", "ok", $"{file} can be written");
        }
        catch (Exception exception) when (FileTrouble.IsOf(exception))
        {
            return new("log", "failed", $"{file} cannot be written: {FileTrouble.Say(exception, file)}");
        }
    }

    /// <summary>Why no message can be kept in a Maildir; null when one can.</summary>
    public static string? MaildirTrouble(string folder)
    {
        var at = Path.Combine(folder, "new");
        while (!Path.Exists(at) && Path.GetDirectoryName(at) is { } above)
        {
            at = above;
        }

        return File.Exists(at) ? $"{at} is a file"
            : !UnixFile.MayWrite(at) ? $"{UnixFile.CurrentUser} may not write in {at}, which belongs to {UnixFile.Owner(at)}"
            : null;
    }

    private static string Day(DateTime time) => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}

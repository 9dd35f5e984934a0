using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Certificates;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Admin.Doctor;

/// <summary>What doctor looks at on the disk.</summary>
internal static class FileChecks
{
    private static readonly TimeSpan CertificateSoon = TimeSpan.FromDays(14);

    public static IEnumerable<Finding> Run(ServerOptions options, TimeProvider time) =>
        ((Finding?[])[User(options), Certificate(options, time.GetUtcNow()), Log(options)]).OfType<Finding>();

    /// <summary>Root may write everywhere, and so cannot find out what the service may not.</summary>
    public static Finding? User(ServerOptions options) =>
        UnixFile.RunsAsRoot && UnixFile.Owner(options.Data) is { } owner && owner != UnixFile.CurrentUser
            ? Finding.Warning("user.root", "user", $"this runs as {UnixFile.CurrentUser} and cannot see what {owner} may not do")
                .With("owner", owner).With("user", UnixFile.CurrentUser)
            : null;

    public static Finding? Certificate(ServerOptions options, DateTimeOffset now)
    {
        try
        {
            return ServerCertificate.Load(options) is { } certificate ? Evaluate(certificate.Leaf, options.Hostname, now) : null;
        }
        catch (StartException exception)
        {
            return Finding.Error("certificate.unusable", "certificate", exception.Message);
        }
    }

    /// <summary>Its days first: nothing else about a certificate that is over is of interest.</summary>
    public static Finding Evaluate(X509Certificate2 leaf, string hostname, DateTimeOffset now)
    {
        var (from, until) = (leaf.NotBefore.ToUniversalTime(), leaf.NotAfter.ToUniversalTime());
        const string check = "certificate";
        var finding = until < now.UtcDateTime ? Finding.Error("certificate.expired", check, $"expired {Day(until)}: clients refuse it")
            : from > now.UtcDateTime
                ? Finding.Error("certificate.not_yet_valid", check, $"is valid only from {Day(from)}: clients refuse it, or this clock is wrong")
            : !leaf.MatchesHostname(hostname)
                ? Finding.Warning("certificate.other_name", check, $"is not for {hostname}: clients that use this name will complain")
            : until - now.UtcDateTime < CertificateSoon ? Finding.Warning("certificate.expires_soon", check, $"expires soon: {Day(until)}")
            : Finding.Ok("certificate.ok", check, $"for {hostname}, valid until {Day(until)}");
        return finding.With("from", Day(from)).With("until", Day(until)).With("hostname", hostname);
    }

    public static Finding? Log(ServerOptions options)
    {
        if (options.Log.File is not { } file)
        {
            return null;
        }

        try
        {
            var isNew = !File.Exists(file);
            LineLog.Target(file)().Dispose();
            if (isNew)
            {
                File.Delete(file);
            }

            return Finding.Ok("log.ok", "log", $"{file} can be written").With("file", file);
        }
        catch (Exception exception) when (FileTrouble.IsOf(exception))
        {
            return Finding.Error("log.unwritable", "log", $"{file} cannot be written: {FileTrouble.Say(exception, file)}").With("file", file);
        }
    }

    /// <summary>Why no message can be kept in a Maildir; null when one can.</summary>
    public static string? MaildirError(string folder)
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

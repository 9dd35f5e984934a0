using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Certificates;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Directories.Certificates;
using Sallyport.Server.Identity.Directories.Oidc;

namespace Sallyport.Server.Admin.Doctor;

/// <summary>doctor's look at what logins depend on outside the store: token issuers, client authorities and their lists.</summary>
internal static class DirectoryChecks
{
    private static readonly TimeSpan AuthoritySoon = TimeSpan.FromDays(30);
    private static readonly TimeSpan ListSoon = TimeSpan.FromHours(12);

    public static async IAsyncEnumerable<Finding> RunAsync(
        ServerOptions options, TimeProvider time, [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var directory in options.Directories)
        {
            var check = "directory " + directory.Name;
            switch (directory)
            {
                case OidcDirectoryOptions oidc:
                    using (var provider = new OidcDirectory(oidc, time))
                    {
                        var (usable, what) = await provider.ProbeAsync(cancel);
                        yield return (usable ? Finding.Ok("issuer.ok", check, what) : Finding.Error("issuer.failed", check, what))
                            .With("directory", directory.Name);
                    }

                    break;
                case CertificateDirectoryOptions certificate:
                    var trouble = new CertificateDirectory(certificate).Diagnose();
                    yield return (trouble is null
                        ? Finding.Ok("client_certificates.ok", check, "no errors in its files")
                        : Finding.Error("client_certificates.failed", check, trouble)).With("directory", directory.Name);
                    break;
            }
        }

        foreach (var finding in CheckAuthorities(options, time.GetUtcNow()))
        {
            yield return finding;
        }
    }

    private static List<Finding> CheckAuthorities(ServerOptions options, DateTimeOffset now)
    {
        List<Finding> findings = [];
        try
        {
            if (options.Tls is null || ClientAuthorities.Load(options.Tls) is not { } authorities)
            {
                return findings;
            }

            findings.AddRange(authorities.Roots.Select(root => Until(
                "client_authority", "client authority", root.NotAfter.ToUniversalTime(), now, AuthoritySoon,
                $"{root.Subject}, valid until {root.NotAfter.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}")));
            if (authorities.ListsEndAt is { } end)
            {
                findings.Add(Until("client_revocation", "client revocation lists", end.UtcDateTime, now, ListSoon,
                    $"the first expires {end.UtcDateTime:u}; after that no client certificate of its authority is accepted"));
            }
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            findings.Add(Finding.Error("client_authority.unusable", "client authority", exception.Message));
        }

        return findings;
    }

    private static Finding Until(string code, string check, DateTime end, DateTimeOffset now, TimeSpan soon, string detail) =>
        (end < now.UtcDateTime ? Finding.Error(code + ".expired", check, detail)
            : end - now.UtcDateTime < soon ? Finding.Warning(code + ".expires_soon", check, detail)
            : Finding.Ok(code + ".ok", check, detail)).With("until", end.ToString("u", CultureInfo.InvariantCulture));
}

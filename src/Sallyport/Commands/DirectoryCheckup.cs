using System.Globalization;
using System.Security.Cryptography;
using Sallyport.Interaction;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.Oidc;
using Sallyport.Server.Certificates;

namespace Sallyport.Commands;

/// <summary>doctor's look at what logins depend on outside the store: token issuers, client authorities and their lists.</summary>
internal static class DirectoryCheckup
{
    private static readonly TimeSpan AuthoritySoon = TimeSpan.FromDays(30);
    private static readonly TimeSpan ListSoon = TimeSpan.FromHours(12);

    public static async Task CheckAsync(ServerOptions options, List<Finding> findings, CancellationToken cancel)
    {
        foreach (var directory in options.Directories)
        {
            switch (directory)
            {
                case OidcDirectoryOptions oidc:
                    using (var provider = new OidcDirectory(oidc, TimeProvider.System))
                    {
                        var (usable, what) = await provider.ProbeAsync(cancel);
                        findings.Add(new("directory " + oidc.Name, usable ? "ok" : "failed", what));
                    }

                    break;
                case CertificateDirectoryOptions certificate:
                    var trouble = new CertificateDirectory(certificate).Trouble();
                    findings.Add(new("directory " + certificate.Name, trouble is null ? "ok" : "failed", trouble ?? "its files are right"));
                    break;
            }
        }

        CheckAuthorities(options, findings);
    }

    private static void CheckAuthorities(ServerOptions options, List<Finding> findings)
    {
        try
        {
            if (options.Tls is null || ClientAuthorities.Load(options.Tls) is not { } authorities)
            {
                return;
            }

            var now = TimeProvider.System.GetUtcNow();
            findings.AddRange(authorities.Roots.Select(root => new Finding(
                "client authority", Until(root.NotAfter.ToUniversalTime(), now, AuthoritySoon),
                $"{root.Subject}, valid until {root.NotAfter.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}")));
            if (authorities.ListsEndAt is { } end)
            {
                findings.Add(new("client revocation lists", Until(end.UtcDateTime, now, ListSoon),
                    $"the first ends {end.UtcDateTime:u}; after that no client certificate of its authority is accepted"));
            }
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            findings.Add(new("client authority", "failed", exception.Message));
        }
    }

    private static string Until(DateTime end, DateTimeOffset now, TimeSpan soon) =>
        end < now.UtcDateTime ? "failed" : end - now.UtcDateTime < soon ? "warning" : "ok";
}

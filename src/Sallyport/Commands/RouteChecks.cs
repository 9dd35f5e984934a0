using Sallyport.Interaction;
using Sallyport.Mail.Relaying;
using Sallyport.Server.Configuration;
using Sallyport.Server.Relay;

namespace Sallyport.Commands;

/// <summary>What doctor finds where mail goes next.</summary>
internal static class RouteChecks
{
    public static async Task RunAsync(ServerOptions options, List<Finding> findings, CancellationToken cancel)
    {
        foreach (var (number, route) in options.Routes.Index())
        {
            var name = $"route {number + 1} ({string.Join(", ", route.Recipients)})";
            if (route.Capture is { } maildir)
            {
                findings.Add(FileChecks.MaildirTrouble(maildir) is { } trouble
                    ? new(name, "failed", $"mail cannot be kept in {maildir}: {trouble}")
                    : new(name, "warning", $"mail is kept in {maildir} and goes nowhere"));
            }

            findings.AddRange((await RouteProbe.RunAsync(options, route, TimeProvider.System, cancel)).Select(result => Of(name, result)));
        }
    }

    /// <summary>What an administrator can do about it.</summary>
    public static string Hint(RelayFailure failure) => failure switch
    {
        RelayFailure.CertificateWrongName => "; if that is the right server, tls_name says which name its certificate carries",
        RelayFailure.CertificateNotTrusted =>
            "; if it is from an authority of your own, tls_ca names the file with that authority's certificate",
        _ => "",
    };

    private static Finding Of(string name, ProbeResult result)
    {
        var check = $"{name} via {result.Host}";
        if (!result.Answers)
        {
            return new(check, "failed", result.Reply + Hint(result.Failure));
        }

        var login = result.Mechanism.Length > 0 ? $", logged in by {result.Mechanism}" : "";
        return result.Tls.Length > 0 ? new(check, "ok", $"answers; {result.Tls}{login}") : new(check, "warning", $"answers; no TLS{login}");
    }
}

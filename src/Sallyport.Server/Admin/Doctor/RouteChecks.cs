using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Sallyport.Mail.Relaying;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Relay;

namespace Sallyport.Server.Admin.Doctor;

/// <summary>What doctor finds where mail goes next.</summary>
internal static class RouteChecks
{
    public static async IAsyncEnumerable<Finding> RunAsync(
        ServerOptions options, TimeProvider time, [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var (index, route) in options.Routes.Index())
        {
            var number = (index + 1).ToString(CultureInfo.InvariantCulture);
            var name = $"route {number} ({string.Join(", ", route.Recipients)})";
            if (route.Capture is { } maildir)
            {
                yield return (FileChecks.MaildirError(maildir) is { } error
                    ? Finding.Error("route.capture_unwritable", name, $"mail cannot be kept in {maildir}: {error}")
                    : Finding.Warning("route.capture", name, $"mail is kept in {maildir} and goes nowhere"))
                    .With("route", number).With("maildir", maildir);
            }

            foreach (var probe in await RouteProbe.RunAsync(options, route, time, cancel))
            {
                yield return Of($"{name} via {probe.Host}", probe).With("route", number).With("host", probe.Host.ToString());
            }
        }
    }

    /// <summary>One next hop, as a connection that sends no mail has found it.</summary>
    public static Finding Of(string check, ProbeResult probe)
    {
        if (!probe.Answers)
        {
            return Finding.Error("route." + JsonNamingPolicy.SnakeCaseLower.ConvertName(probe.Failure.ToString()), check,
                probe.Reply + Advice(probe.Failure));
        }

        var login = probe.Mechanism.Length > 0 ? $", logged in by {probe.Mechanism}" : "";
        return probe.Tls.Length > 0
            ? Finding.Ok("route.ok", check, $"answers; {probe.Tls}{login}").With("tls", probe.Tls)
            : Finding.Warning("route.no_tls", check, $"answers; no TLS{login}");
    }

    /// <summary>What an administrator can do about a certificate that was not trusted.</summary>
    private static string Advice(RelayFailure failure) => failure switch
    {
        RelayFailure.CertificateWrongName => "; if that is the right server, tls_name says which name its certificate carries",
        RelayFailure.CertificateNotTrusted => "; if it is from an authority of your own, tls_ca names the file with that authority's certificate",
        _ => "",
    };
}

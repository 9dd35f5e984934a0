using Sallyport.Interaction;
using Sallyport.Server.Configuration;
using Sallyport.Server.Relay;

namespace Sallyport.Commands;

/// <summary>What doctor finds where mail goes next.</summary>
internal static class RouteChecks
{
    private static readonly TimeSpan ConnectMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(30);

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

            foreach (var host in route.Smarthosts)
            {
                findings.Add(await CheckHostAsync(name, options, route, host, cancel));
            }
        }
    }

    /// <summary>What an administrator can do about a certificate that was not trusted.</summary>
    public static string Hint(string reply) =>
        reply.Contains("certificate is not for", StringComparison.Ordinal)
            ? "; if that is the right server, tls_name says which name its certificate carries"
            : reply.Contains("authority", StringComparison.Ordinal)
                ? "; if it is from an authority of your own, tls_ca names the file with that authority's certificate"
                : "";

    private static async Task<Finding> CheckHostAsync(
        string name, ServerOptions options, RouteOptions route, SmarthostAddress host, CancellationToken cancel)
    {
        try
        {
            var patient = options.Timeouts with { RelayConnect = ConnectMax, RelayGreeting = AnswerMax, RelayCommand = AnswerMax };
            await using var connection = await RelayConnection.OpenAsync(host, route, options.Hostname, patient, TimeProvider.System, cancel);
            var tls = connection.Tls.Length > 0 ? connection.Tls.Replace("Tls1", "TLSv1.", StringComparison.Ordinal) : "no TLS";
            var login = connection.Mechanism.Length > 0 ? $", logged in by {connection.Mechanism}" : "";
            return new($"{name} via {host}", connection.Tls.Length > 0 ? "ok" : "warning", $"answers; {tls}{login}");
        }
        catch (HostException exception)
        {
            return new($"{name} via {host}", "failed", exception.Reply + Hint(exception.Reply.ToString()));
        }
    }
}

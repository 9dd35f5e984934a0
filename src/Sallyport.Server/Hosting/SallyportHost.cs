using Microsoft.AspNetCore.Builder;
using Sallyport.Server.Admin.Handlers;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Configuration.Validation;
using Sallyport.Server.Limits;
using Sallyport.Server.Listening;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Hosting;

/// <summary>A running server: a site's services behind its listeners, from the options to the orderly end.</summary>
public sealed class SallyportHost : IAsyncDisposable
{
    /// <summary>For what was said last to leave the machine.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    private readonly SiteServices _services;
    private readonly LineLog _lines;
    private readonly MailMetrics _metrics;
    private readonly SubmissionListener _listener;
    private readonly LocalAdmin _admin;
    private readonly WebApplication _web;
    private MetricsPage? _page;

    private SallyportHost(SiteServices services, LineLog lines, MailMetrics metrics)
    {
        (_services, _lines, _metrics) = (services, lines, metrics);
        _listener = new SubmissionListener(services.Submission, services.Gate, services.Certificates);
        _admin = new LocalAdmin(services.ForAdmin(services.Time.GetUtcNow()));
        _web = WebHost.Build(services.Site.Options, _listener, _admin.Dispatcher, services.Log);
    }

    /// <summary>Completes when the store has failed: nothing more can be promised, and only a restart reads what is on disk.</summary>
    public Task StoreFailed => _services.Store.Spool.Failed;

    private ServerOptions Options => _services.Site.Options;

    /// <exception cref="StartException">Certificate, store or an address cannot be used.</exception>
    public static async Task<SallyportHost> StartAsync(ServerOptions options, TimeProvider time, CancellationToken cancel)
    {
        (options, var fewer) = FileLimit.Fit(options, FileLimit.Lift(), FileLimit.OpenAtStart);
        Certificates.ServerCertificate.Load(options)?.Leaf.Dispose(); // the first to be told of, before the store is opened
        AdminSocketPath.Check(options.Data);
        await SiteReload.OpenLog(options.Log).DisposeAsync();
        var store = await StoreOpener.OpenAsync(options, time, cancel);
#pragma warning disable CA2000 // The host's, and disposed with it.
        var lines = new LineLog(ILineFormatter.Of(options.Log.Style), LineLog.Target(options.Log.File), time, TellOfLog);
        var metrics = new MailMetrics(lines);
        var host = new SallyportHost(await SiteServices.OpenAsync(store, options, metrics, time, cancel), lines, metrics);
#pragma warning restore CA2000
        try
        {
            await host.StartAsync(cancel);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or System.Net.Sockets.SocketException)
        {
            await host.DisposeAsync();
            throw new StartException(ListenErrors.Explain(options, exception), exception);
        }

        var listeners = options.Listeners.Select(l => $"{l.Address} ({l.Tls.ToString().ToLowerInvariant()})");
        host.Notice($"Sallyport {ServerVersion.Text} serves {options.Hostname} on {string.Join(", ", listeners)}");
        host.Notice(fewer);
        return host;
    }

    /// <summary>
    /// Reads the configuration again: certificate, routes, directories, limits, timeouts and log from the next session on. What is wrong
    /// with it, of whatever kind, is a line in the log, and then all stays as it was.
    /// </summary>
    public void Reload(string file)
    {
        try
        {
            switch (ConfigurationLoader.Load(file))
            {
                case ConfigurationResult.Loaded loaded:
                    Reload(loaded.Options);
                    break;
                case ConfigurationResult.Invalid invalid:
                    foreach (var problem in invalid.Problems)
                    {
                        NotReloaded(problem.ToString());
                    }

                    break;
            }
        }
        catch (Exception exception)
        {
            NotReloaded(exception.Message);
        }
    }

    /// <exception cref="Exception">Whatever is wrong with the options or with what they name; all stays as it was.</exception>
    public void Reload(ServerOptions options)
    {
        var reload = SiteReload.Prepare(_services, _lines, options);
        reload.Commit();
        Notice("configuration and certificate read again");
        Notice(reload.Notice);
        foreach (var key in reload.RestartKeys)
        {
            Log(new MailEvent.Problem($"[{key}] has changed: only a restart takes it"));
        }
    }

    public void Log(MailEvent mailEvent) => _services.Log.Write(mailEvent);

    /// <summary>Lets sessions end at their next command, takes no new ones, ends transactions under way, keeps the rest for the next start.</summary>
    public async Task StopAsync()
    {
        var within = Options.Timeouts.Drain;
        Notice($"stopping: {_services.Gate.Open} sessions have {within.TotalSeconds:0} s to end");
        using var limit = new CancellationTokenSource(within + TimeSpan.FromSeconds(2), _services.Time);
        var unbound = _web.StopAsync(limit.Token);
        var left = await _listener.DrainAsync(within, _services.Time);
        limit.CancelAfter(left == 0 ? LastWords : TimeSpan.Zero);
        try
        {
            await unbound;
        }
        catch (OperationCanceledException)
        {
            // Sessions that did not end are cut; their clients were promised nothing.
        }

        await _services.Relay.DisposeAsync();
        Notice(left == 0 ? "stopped" : $"stopped; {left} sessions were cut off");
    }

    public async ValueTask DisposeAsync()
    {
        await _services.Relay.DisposeAsync();
        await _web.DisposeAsync();
        if (_page is not null)
        {
            await _page.DisposeAsync();
        }

        await _admin.DisposeAsync();
        _listener.Dispose();
        await _services.DisposeAsync();
        _metrics.Dispose();
        await _lines.DisposeAsync();
    }

    private static void TellOfLog(string trouble) => Console.Error.WriteLine("sallyport: " + trouble);

    private async Task StartAsync(CancellationToken cancel)
    {
        var socket = AdminSocketPath.In(Options.Data);

        // What a server that was killed left behind: the lock on the store says that none runs.
        File.Delete(socket);
        await _web.StartAsync(cancel);
        WebHost.RestrictSocket(socket);
        UnixFile.GiveToOwnerOf(Options.Data, socket);
        await _services.StartAsync(cancel);
        if (Options.Metrics.Address is { } address)
        {
            _page = await MetricsPage.OpenAsync(_services, _metrics, address, cancel);
        }

        _services.Relay.Start();
    }

    private void NotReloaded(string why)
    {
        var line = "not reloaded, all stays as it was: " + why;
        TellOfLog(line);
        Log(new MailEvent.Problem(line));
    }

    private void Notice(string? what)
    {
        if (what is not null)
        {
            Log(new MailEvent.Notice(what));
        }
    }
}

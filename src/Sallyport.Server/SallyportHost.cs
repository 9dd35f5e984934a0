using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sallyport.Server.Admin.Handlers;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Admin.Transport;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Limits;
using Sallyport.Server.Listening;
using Sallyport.Server.Relay;
using Sallyport.Server.Routing;
using Sallyport.Server.Sending;
using Sallyport.Server.Submission;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Sqlite;

namespace Sallyport.Server;

/// <summary>All parts put together: from the options to a listening server, and to its orderly end.</summary>
public sealed class SallyportHost : IAsyncDisposable
{
    /// <summary>For what was said last to leave the machine.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time;
    private readonly IStore _store;
    private readonly LineLog _lines;
    private readonly RecentOutcomes _log;
    private readonly IdentityBooks _books;
    private readonly DirectorySet _directories;
    private readonly ConnectionGate _gate = new();
    private readonly Handoff _handoff;
    private readonly SubmissionServices _submission;
    private readonly SubmissionListener _listener;
    private readonly RelayService _relay;
    private readonly LocalAdmin _admin;
    private readonly WatchRoom _watch;
    private readonly WebApplication _web;

    private SallyportHost(ServerOptions options, ServerCertificate? certificate, Opened opened, TimeProvider time)
    {
        var (store, books, sending, log) = (opened.Store, opened.Books, opened.Sending, opened.Lines);
        (_time, _store, _lines, _books, _watch, _handoff) = (time, store, log, books, opened.Watch, opened.Handoff);
        _log = new RecentOutcomes(_watch, time);
        _directories = new DirectorySet(new DirectoryServices(store, books.Hasher, books.Decoys, log, time));
        _submission = new SubmissionServices(NewSettings(options), store.Spool, _handoff, _log, time)
        {
            Sending = sending,
            Watch = _watch.Breaker,
        };
        _listener = new SubmissionListener(_submission, _gate, certificate);
        _relay = new RelayService(
            new RelayServices(store.Spool, _handoff, _log, time, _submission.NewQueueId), options, _submission.Settings.Routes);
        _admin = new LocalAdmin(new AdminServices(
            store, books, () => (_submission.Settings.Options, _submission.Settings.Routes, _submission.Settings.Identity), time, time.GetUtcNow(),
            _handoff.Wake, () => _gate.Open)
        {
            ForgetFailures = _relay.ForgetFailures,
            Outcomes = _log,
            Log = _log,
            Breaker = _watch.Breaker,
            LetGo = _watch.Breaker.Resume,
            Alerts = _watch.Alerts,
            Sending = sending,
        });
        _watch.Connections = () => _gate.Open;
        _web = BuildWeb(options);
    }

    /// <summary>What is there before the parts that use it.</summary>
    private sealed record Opened(IStore Store, IdentityBooks Books, UsageLedger Sending, WatchRoom Watch, Handoff Handoff, LineLog Lines);

    public ServerOptions Options => _submission.Settings.Options;

    /// <summary>Completes when the store has failed: nothing more can be promised, and only a restart reads what is on disk.</summary>
    public Task StoreFailed => _store.Spool.Failed;

    /// <exception cref="StartException">Certificate, store or an address cannot be used.</exception>
    public static async Task<SallyportHost> StartAsync(ServerOptions options, TimeProvider time, CancellationToken cancel)
    {
        (options, var fewer) = FileLimit.Fit(options, FileLimit.Lift(), FileLimit.OpenAtStart);
        var certificate = LoadCertificate(options);
        var socket = AdminSocket.PathIn(options.Data);
        if (System.Text.Encoding.UTF8.GetByteCount(socket) > AdminSocket.PathBytesMax)
        {
            throw new StartException(
                $"The path of the admin socket, {socket}, is longer than {AdminSocket.PathBytesMax} bytes: choose a shorter data directory");
        }

        TryLog(options);
        var store = await OpenStoreAsync(options, time, cancel);
#pragma warning disable CA2000 // The host's, and disposed with it.
        var log = new LineLog(ILineFormatter.Of(options.Log.Style), LineLog.Target(options.Log.File), time, TellOfLog);
        var metrics = new MailMetrics(log);
#pragma warning restore CA2000
        var books = await IdentityBooks.LoadAsync(store, options, metrics, time, cancel);
        var sending = await UsageLedger.LoadAsync(store, books.Journal, time, cancel);
        var handoff = new Handoff(options.Relay.MessagesInMemory, options.Relay.MemoryBytes);
        SallyportHost? host = null;
        var watch = await WatchRoom.OpenAsync(
            store, books, sending, metrics, handoff, () => host?.Options ?? options, () => host!._submission.NewQueueId(), time, cancel);
        host = new SallyportHost(options, certificate, new Opened(store, books, sending, watch, handoff, log), time);
        try
        {
            // What a server that was killed left behind: the lock on the store says that none runs.
            File.Delete(socket);
            await host._web.StartAsync(cancel);
            RestrictSocket(socket);
            UnixFile.GiveToOwnerOf(options.Data, socket);
            await watch.StartAsync(cancel);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or System.Net.Sockets.SocketException)
        {
            await host.DisposeAsync();
            throw new StartException(ListenTrouble.Explain(options, exception), exception);
        }

        host._relay.Start();
        var listeners = options.Listeners.Select(l => $"{l.Address} ({l.Tls.ToString().ToLowerInvariant()})");
        log.Write(new MailEvent.Notice($"Sallyport {ServerVersion.Text} serves {options.Hostname} on {string.Join(", ", listeners)}"));
        host.Notice(fewer);
        return host;
    }

    /// <exception cref="StartException">In use, damaged or newer; the message says what to do.</exception>
    public static async Task<IStore> OpenStoreAsync(ServerOptions options, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            return await SqliteStore.OpenAsync(
                new SqliteStoreOptions(options.Data, options.Store.DiskFloorBytes, options.Store.DiskFloorPercent), time, cancel);
        }
        catch (StoreException exception)
        {
            throw new StartException(exception.Message, exception) { InUse = exception.InUse };
        }
    }

    /// <exception cref="StartException">The log file cannot be opened.</exception>
    private static void TryLog(ServerOptions options)
    {
        try
        {
            LineLog.Target(options.Log.File)().Dispose();
        }
        catch (Exception exception) when (FileTrouble.IsOf(exception))
        {
            throw new StartException(
                $"the log file {options.Log.File} cannot be opened: {FileTrouble.Say(exception, options.Log.File ?? "")}. "
                + "Its directory must be there and belong to the user the service runs as", exception);
        }
    }

    private static void TellOfLog(string trouble) => Console.Error.WriteLine("sallyport: " + trouble);

    /// <summary>Null without [tls].</summary>
    /// <exception cref="StartException">Not a certificate, or not its key.</exception>
    public static ServerCertificate? LoadCertificate(ServerOptions options)
    {
        try
        {
            return options.Tls is null ? null : ServerCertificate.Load(options.Tls);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new StartException(
                $"The certificate {options.Tls!.Certificate} with the key {options.Tls.Key} cannot be used: {exception.Message}", exception);
        }
    }

    /// <summary>
    /// Takes a configuration read again: certificate, routes, directories, limits, timeouts and log from the next session on. Returns
    /// the keys that only a restart changes, where they differ.
    /// </summary>
    /// <exception cref="StartException">The new certificate cannot be used: all stays as it was.</exception>
    public IReadOnlyList<string> Reload(ServerOptions options)
    {
        (options, var fewer) = FileLimit.Fit(options, FileLimit.Lift(), FileLimit.OpenAtStart);
        var certificate = LoadCertificate(options);
        var old = Options;
        List<string> restart = [];
        if (!old.Listeners.SequenceEqual(options.Listeners))
        {
            restart.Add("listener");
        }

        if (old.Data != options.Data)
        {
            restart.Add("data");
        }

        if (old.Store != options.Store)
        {
            restart.Add("store");
        }

        if (old.Metrics != options.Metrics)
        {
            restart.Add("metrics");
        }

        if (old.Limits.HashesAtOnce != options.Limits.HashesAtOnce)
        {
            restart.Add("limits.hashes_at_once");
        }

        _handoff.Resize(options.Relay.MessagesInMemory, options.Relay.MemoryBytes);
        _books.Hasher.Limits = options.Limits;
        _listener.Certificate = certificate;
        _submission.Settings = NewSettings(options with
        {
            Data = old.Data,
            Listeners = old.Listeners,
            Store = old.Store,
            Metrics = old.Metrics,
            Limits = options.Limits with { HashesAtOnce = old.Limits.HashesAtOnce },
        });
        _relay.Reload(_submission.Settings.Options, _submission.Settings.Routes);
        ReopenLog(options.Log);
        _log.Write(new MailEvent.Notice("configuration and certificate read again"));
        Notice(fewer);
        return restart;
    }

    private void ReopenLog(LogOptions options)
    {
        try
        {
            _lines.Reopen(ILineFormatter.Of(options.Style), LineLog.Target(options.File));
        }
        catch (Exception exception) when (FileTrouble.IsOf(exception))
        {
            var why = FileTrouble.Say(exception, options.File ?? "");
            var trouble = $"the log file {options.File} cannot be opened: {why}. The log goes on as it was";
            TellOfLog(trouble);
            _log.Write(new MailEvent.Problem(trouble));
        }
    }

    public void Log(MailEvent mailEvent) => _log.Write(mailEvent);

    /// <summary>Lets sessions end at their next command, takes no new ones, ends transactions under way, keeps the rest for the next start.</summary>
    public async Task StopAsync()
    {
        var within = Options.Timeouts.Drain;
        _log.Write(new MailEvent.Notice($"stopping: {_gate.Open} sessions have {within.TotalSeconds:0} s to end"));
        using var limit = new CancellationTokenSource(within + TimeSpan.FromSeconds(2), _time);
        var unbound = _web.StopAsync(limit.Token);
        var left = await _listener.DrainAsync(within, _time);
        limit.CancelAfter(left == 0 ? LastWords : TimeSpan.Zero);
        try
        {
            await unbound;
        }
        catch (OperationCanceledException)
        {
            // Sessions that did not end are cut; their clients were promised nothing.
        }

        await _relay.DisposeAsync();
        _log.Write(new MailEvent.Notice(left == 0 ? "stopped" : $"stopped; {left} sessions were cut off"));
    }

    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        await _web.DisposeAsync();
        await _watch.DisposeAsync();
        await _admin.DisposeAsync();
        _listener.Dispose();
        await _directories.DisposeAsync();
        await _books.DisposeAsync();
        await _store.DisposeAsync();
        await _lines.DisposeAsync();
    }

    private void Notice(string? what)
    {
        if (what is not null)
        {
            _log.Write(new MailEvent.Notice(what));
        }
    }

    private Settings NewSettings(ServerOptions options) =>
        new(options, new RouteTable(options.Routes), _books.NewService(options, _directories.Open(options.Directories)));

    private WebApplication BuildWeb(ServerOptions options)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRouting();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenUnixSocket(AdminSocket.PathIn(options.Data));
            foreach (var listener in options.Listeners)
            {
                kestrel.Listen(listener, _listener, _log);
            }
        });
        var web = builder.Build();
        AdminSocket.Map(web, _admin.Handlers);
        return web;
    }

    private static void RestrictSocket(string socket)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(socket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    /// <summary>Signals are the executable's to handle.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Limits;
using Sallyport.Server.Sites;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Hosting;

/// <summary>
/// A configuration on its way into force, in two steps: everything that can fail is made first, beside what is in use; then all of it
/// is put in force, which cannot fail. One that is not committed has changed nothing.
/// </summary>
internal sealed class SiteReload
{
    private readonly SiteServices _services;
    private readonly LineLog _lines;
    private readonly PreparedDirectories _directories;
    private readonly SiteSnapshot _next;
    private readonly Stream _log;
    private readonly LogOptions _logOptions;

    private SiteReload(
        SiteServices services, LineLog lines, PreparedDirectories directories, SiteSnapshot next, Stream log, LogOptions logOptions) =>
        (_services, _lines, _directories, _next, _log, _logOptions) = (services, lines, directories, next, log, logOptions);

    /// <summary>Keys that only a restart changes, where they differ.</summary>
    public required IReadOnlyList<string> RestartKeys { get; init; }

    /// <summary>What to tell the administrator; null when there is nothing.</summary>
    public required string? Notice { get; init; }

    /// <exception cref="Exception">Whatever is wrong with the configuration or with what it names; nothing has changed.</exception>
    public static SiteReload Prepare(SiteServices services, LineLog lines, ServerOptions asked)
    {
        var (options, notice) = FileLimit.Fit(asked, FileLimit.Lift(), FileLimit.OpenAtStart);
        var old = services.Site.Options;
        var restart = KeysOfRestart(old, options);
        options = options with
        {
            Data = old.Data,
            Listeners = old.Listeners,
            Store = old.Store,
            Metrics = old.Metrics,
            Limits = options.Limits with { HashesAtOnce = old.Limits.HashesAtOnce },
        };
        var certificates = SiteServices.LoadCertificates(options);
        var directories = services.Directories.Prepare(options.Directories);
        try
        {
            var next = services.NewSnapshot(options, certificates, directories.Directories);
#pragma warning disable CA2000 // The log's, and disposed with it.
            var log = OpenLog(options.Log);
#pragma warning restore CA2000
            return new SiteReload(services, lines, directories, next, log, options.Log) { RestartKeys = restart, Notice = notice };
        }
        catch
        {
            _ = directories.DiscardAsync().AsTask();
            throw;
        }
    }

    /// <summary>In force from the next session, transaction and line on.</summary>
    public void Commit()
    {
        var options = _next.Options;
        _directories.Commit();
        _services.Site.Swap(_next);
        _services.Certificates.Swap(_next.Certificates);
        _services.Handoff.Resize(options.Relay.MessagesInMemory, options.Relay.MemoryBytes);
        _services.Books.Hasher.Limits = options.Limits;
        _services.Relay.Reload(_next.Routes);
        _lines.Use(ILineFormatter.Of(_logOptions.Style), LineLog.Target(_logOptions.File), _log);
    }

    /// <exception cref="StartException">The log file cannot be opened.</exception>
    public static Stream OpenLog(LogOptions options)
    {
        try
        {
            return LineLog.Target(options.File)();
        }
        catch (Exception exception) when (FileTrouble.IsOf(exception))
        {
            throw new StartException(
                $"the log file {options.File} cannot be opened: {FileTrouble.Say(exception, options.File ?? "")}. "
                + "Its directory must be there and belong to the user the service runs as", exception);
        }
    }

    private static List<string> KeysOfRestart(ServerOptions old, ServerOptions options)
    {
        (string Key, bool Differs)[] keys =
        [
            ("listener", !old.Listeners.SequenceEqual(options.Listeners)),
            ("data", old.Data != options.Data),
            ("store", old.Store != options.Store),
            ("metrics", old.Metrics != options.Metrics),
            ("limits.hashes_at_once", old.Limits.HashesAtOnce != options.Limits.HashesAtOnce),
        ];
        return [.. keys.Where(one => one.Differs).Select(one => one.Key)];
    }
}

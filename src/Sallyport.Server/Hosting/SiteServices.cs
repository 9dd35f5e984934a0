using System.Collections.Immutable;
using Sallyport.Server.Admin.Handlers;
using Sallyport.Server.Certificates;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories;
using Sallyport.Server.Intake;
using Sallyport.Server.Limits;
using Sallyport.Server.Outcomes;
using Sallyport.Server.Relay;
using Sallyport.Server.Routing;
using Sallyport.Server.Sending;
using Sallyport.Server.Sites;
using Sallyport.Server.Submission;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Hosting;

/// <summary>
/// The one composition: everything a site is made of, each part once, for the server, for a command that opens the store itself, and
/// for tests. Nothing in it listens, relays or sends before it is started.
/// </summary>
public sealed class SiteServices : IAsyncDisposable
{
    private SiteServices(IStore store, SiteHolder site, IMailLog log, TimeProvider time) =>
        (Store, Site, Log, Time) = (store, site, log, time);

    public IStore Store { get; }

    /// <summary>The snapshot in force.</summary>
    public SiteHolder Site { get; }

    /// <summary>The head of the log: the one that everybody writes to.</summary>
    public IMailLog Log { get; }

    public TimeProvider Time { get; }

    public required IdentityBooks Books { get; init; }

    public required DirectorySet Directories { get; init; }

    public required UsageLedger Sending { get; init; }

    public required AbuseMonitoring Abuse { get; init; }

    public required OutcomeFeed Outcomes { get; init; }

    public required RecentOutcomes Recent { get; init; }

    public required Handoff Handoff { get; init; }

    public required SubmissionServices Submission { get; init; }

    public required RelayService Relay { get; init; }

    /// <summary>What listeners show, whose site it is.</summary>
    public required CertificateStore Certificates { get; init; }

    /// <summary>Connections that are open.</summary>
    public ConnectionGate Gate { get; } = new();

    /// <summary>Opens all of it on an open store, which is disposed with it.</summary>
    /// <param name="stages">What every message passes before its commit: submitted mail, reports and alerts. None by default.</param>
    /// <param name="certificates">What listeners show; null reads what the options name. Whoever opens no listener needs none.</param>
    /// <exception cref="StartException">The certificate cannot be used.</exception>
    public static async Task<SiteServices> OpenAsync(
        IStore store, ServerOptions options, IMailLog log, TimeProvider time, CancellationToken cancel,
        ImmutableArray<ContentStageFactory> stages = default, CertificateSet? certificates = null)
    {
        certificates ??= LoadCertificates(options);
        var site = new SiteHolder(options);
        var books = await IdentityBooks.LoadAsync(store, site, log, time, cancel);
        var sending = await UsageLedger.LoadAsync(books.State, time, cancel);
        var handoff = new Handoff(options.Relay.MessagesInMemory, options.Relay.MemoryBytes);
        var ids = new QueueIds(time);
        var content = new ContentPipeline(stages.IsDefault ? [] : stages, log);
        var abuse = await AbuseMonitoring.OpenAsync(store, sending, books.State, site, handoff, ids, content, log, time, cancel);
        var directories = new DirectorySet(new DirectoryServices(store, books.Hasher, books.Decoys, log, time));
        var prepared = directories.Prepare(options.Directories);
        prepared.Commit();
        site.Swap(NewSnapshot(options, certificates, books, prepared.Directories));
        var outcomes = new OutcomeFeed(log);
        return new SiteServices(store, site, log, time)
        {
            Certificates = new CertificateStore(certificates),
            Books = books,
            Directories = directories,
            Sending = sending,
            Abuse = abuse,
            Outcomes = outcomes,
            Recent = new RecentOutcomes(time),
            Handoff = handoff,
            Submission = new SubmissionServices(site, store.Spool, handoff, ids, sending, abuse.Breaker, outcomes, log, time) { Content = content },
            Relay = new RelayService(
                new RelayServices(store.Spool, handoff, outcomes, log, time, ids, site) { Content = content }, site.Current.Routes),
        };
    }

    /// <summary>All that a configuration means, with what the site keeps over a reload.</summary>
    /// <param name="nonce">The server's half of every SCRAM nonce, for tests; null draws one each time.</param>
    public SiteSnapshot NewSnapshot(
        ServerOptions options, CertificateSet? certificates, ImmutableArray<IDirectory> directories, string? nonce = null) =>
        NewSnapshot(options, certificates ?? CertificateSet.Empty, Books, directories, nonce);

    /// <summary>Those a configuration names, read now.</summary>
    /// <exception cref="StartException">Not a certificate, or not its key.</exception>
    public static CertificateSet LoadCertificates(ServerOptions options) =>
        ServerCertificate.Load(options) is { } certificate ? new CertificateSet(certificate) : CertificateSet.Empty;

    /// <summary>What follows the mail begins to: before the first session and before the relay.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        Outcomes.Subscribe(Recent);
        await Abuse.StartAsync(Outcomes, cancel);
    }

    /// <param name="startedAt">Null where no server runs.</param>
    public AdminServices ForAdmin(DateTimeOffset? startedAt) => new(
        Store, Books, Site, Sending, Abuse.Breaker, Abuse.Alerts, Recent, Handoff, Relay, Gate, Log, Time, startedAt);

    public async ValueTask DisposeAsync()
    {
        await Relay.DisposeAsync();
        await Outcomes.DisposeAsync();
        await Abuse.DisposeAsync();
        await Directories.DisposeAsync();
        await Books.DisposeAsync();
        await Store.DisposeAsync();
    }

    private static SiteSnapshot NewSnapshot(
        ServerOptions options, CertificateSet certificates, IdentityBooks books, ImmutableArray<IDirectory> directories, string? nonce = null) =>
        new(options, new RouteTable(options.Routes), books.NewService(options, directories, nonce), certificates);
}

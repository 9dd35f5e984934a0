using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Alerting;
using Sallyport.Server.Identity;
using Sallyport.Server.Limits;
using Sallyport.Server.Outcomes;
using Sallyport.Server.Relay;
using Sallyport.Server.Sending;
using Sallyport.Server.Sites;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Admin.Handlers;

/// <summary>What the door needs of the process it is in, whether a server runs in it or one command.</summary>
/// <param name="Books">What identity holds in memory besides.</param>
/// <param name="Site">Options, routes and directories in force.</param>
/// <param name="Sending">What logins have sent.</param>
/// <param name="Breaker">What stops logins.</param>
/// <param name="Alerts">Sends nothing before a server has started.</param>
/// <param name="Outcomes">What became of recipients lately; empty where no server runs.</param>
/// <param name="Handoff">Tells the relay that something fell due.</param>
/// <param name="Relay">Takes nothing before a server has started.</param>
/// <param name="Gate">Open connections.</param>
/// <param name="Log">Where the server says what was changed.</param>
/// <param name="StartedAt">Null where no server runs.</param>
public sealed record AdminServices(
    IStore Store,
    IdentityBooks Books,
    SiteHolder Site,
    UsageLedger Sending,
    Breaker Breaker,
    AlertCenter Alerts,
    RecentOutcomes Outcomes,
    Handoff Handoff,
    RelayService Relay,
    ConnectionGate Gate,
    IMailLog Log,
    TimeProvider Time,
    DateTimeOffset? StartedAt);

/// <summary>The door, in the process that has the store open.</summary>
public sealed class LocalAdmin : IAdmin
{
    private readonly IAsyncDisposable? _owned;
    private readonly AdminCaller _caller = AdminCaller.Operator(UnixFile.CurrentUser);

    /// <param name="owned">Disposed with this; null where the server has it.</param>
    public LocalAdmin(AdminServices services, IAsyncDisposable? owned = null)
        : this(services.Log)
    {
        _owned = owned;
        new StatusHandlers(services).Register(Dispatcher);
        new UserHandlers(services).Register(Dispatcher);
        new QueueHandlers(services).Register(Dispatcher);
        new GrantHandlers(services).Register(Dispatcher);
        new GuardHandlers(services).Register(Dispatcher);
        new HoldHandlers(services).Register(Dispatcher);
        new LoginHandlers(services).Register(Dispatcher);
        new AppPasswordHandlers(services).Register(Dispatcher);
        new LimitHandlers(services).Register(Dispatcher);
        new AlertHandlers(services).Register(Dispatcher);
        new ImportHandlers(services).Register(Dispatcher);
        new SiteChecks(this, () => services.Site.Options, "", services.Time).Register(Dispatcher);
    }

    private LocalAdmin(IMailLog log) => Dispatcher = new(log);

    /// <summary>Who answers what, for the socket.</summary>
    public AdminDispatcher Dispatcher { get; }

    /// <summary>A door with no store behind it, which checks configurations and looks at what mail depends on.</summary>
    /// <param name="why">Why the store cannot be had.</param>
    public static LocalAdmin WithoutStore(string why, TimeProvider time)
    {
        var admin = new LocalAdmin(new SilentLog());
        new SiteChecks(null, static () => null, why, time).Register(admin.Dispatcher);
        return admin;
    }

    public ValueTask<TAnswer> CallAsync<TRequest, TAnswer>(
        AdminOperation<TRequest, TAnswer> operation, TRequest request, CancellationToken cancel)
        where TRequest : class
        where TAnswer : class => Dispatcher.CallAsync(operation, request, new(_caller, cancel));

    public ValueTask<AdminPage<TItem>> PageAsync<TRequest, TItem>(
        AdminListing<TRequest, TItem> listing, TRequest request, CancellationToken cancel)
        where TRequest : class, IPagedRequest<TRequest>
        where TItem : class => Dispatcher.PageAsync(listing, request, new(_caller, cancel));

    public IAsyncEnumerable<TPart> StreamAsync<TRequest, TPart>(
        AdminStream<TRequest, TPart> stream, TRequest request, Stream content, CancellationToken cancel)
        where TRequest : class
        where TPart : class => Dispatcher.StreamAsync(stream, request, content, new(_caller, cancel));

    public ValueTask DisposeAsync() => _owned?.DisposeAsync() ?? ValueTask.CompletedTask;
}

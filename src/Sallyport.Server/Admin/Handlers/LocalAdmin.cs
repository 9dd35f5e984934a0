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

    /// <param name="owned">Disposed with this; null where the server has it.</param>
    public LocalAdmin(AdminServices services, IAsyncDisposable? owned = null)
    {
        _owned = owned;
        new StatusHandlers(services).Register(Handlers);
        new UserHandlers(services).Register(Handlers);
        new QueueHandlers(services).Register(Handlers);
        new GrantHandlers(services).Register(Handlers);
        new GuardHandlers(services).Register(Handlers);
        new HoldHandlers(services).Register(Handlers);
        new LoginHandlers(services).Register(Handlers);
        new AppPasswordHandlers(services).Register(Handlers);
        new LimitHandlers(services).Register(Handlers);
        new AlertHandlers(services).Register(Handlers);
    }

    /// <summary>Who answers what, for the socket.</summary>
    public AdminHandlers Handlers { get; } = new();

    public ValueTask<TAnswer> CallAsync<TRequest, TAnswer>(
        AdminOperation<TRequest, TAnswer> operation, TRequest request, CancellationToken cancel)
        where TRequest : class
        where TAnswer : class => Handlers.CallAsync(operation, request, cancel);

    public ValueTask DisposeAsync() => _owned?.DisposeAsync() ?? ValueTask.CompletedTask;
}

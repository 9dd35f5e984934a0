using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Alerting;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Routing;
using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Admin.Handlers;

/// <summary>What the door needs of the process it is in.</summary>
/// <param name="Books">What identity holds in memory besides.</param>
/// <param name="Settings">Options, routes and directories in force.</param>
/// <param name="StartedAt">Null where no server runs.</param>
/// <param name="Wake">Tells the relay that something fell due.</param>
/// <param name="Connections">Open connections.</param>
public sealed record AdminServices(
    IStore Store,
    IdentityBooks Books,
    Func<(ServerOptions Options, RouteTable Routes, IdentityService Identity)> Settings,
    TimeProvider Time,
    DateTimeOffset? StartedAt,
    Action Wake,
    Func<int> Connections)
{
    /// <summary>Next hops known to be down may be asked again: the operator wants an attempt now.</summary>
    public Action ForgetFailures { get; init; } = static () => { };

    /// <summary>What logins have sent.</summary>
    public required UsageLedger Sending { get; init; }

    /// <summary>Where the server says what was changed.</summary>
    public IMailLog Log { get; init; } = new SilentLog();

    /// <summary>What stops logins; null in tests that ask nothing of it.</summary>
    public Breaker? Breaker { get; init; }

    /// <summary>Null where no server runs.</summary>
    public AlertCenter? Alerts { get; init; }

    /// <summary>A login, or null for all, may send again whatever it did. True when something had stopped it.</summary>
    public Func<string?, bool, bool> LetGo { get; init; } = static (_, _) => false;

    /// <summary>What became of recipients lately; null where no server runs.</summary>
    public RecentOutcomes? Outcomes { get; init; }
}

/// <summary>The door, in the process that has the store open.</summary>
public sealed class LocalAdmin : IAdmin
{
    private readonly AdminServices _services;

    public LocalAdmin(AdminServices services)
    {
        _services = services;
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

    public async ValueTask DisposeAsync()
    {
        if (_services.StartedAt is null)
        {
            await _services.Books.DisposeAsync();
            await _services.Store.DisposeAsync();
        }
    }
}

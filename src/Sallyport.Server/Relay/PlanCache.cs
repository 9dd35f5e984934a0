using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Server.Peers;
using Sallyport.Server.Routing;

namespace Sallyport.Server.Relay;

/// <summary>
/// The plan of one target, as long as it is valid. However many wait for it, it is asked for once, and under no lock; who waits for a slow one
/// is of this target alone.
/// </summary>
internal sealed class PlanCache(IRoutePlanner planner, RouteTarget target, TimeProvider time)
{
    /// <summary>How long one answer is waited for.</summary>
    public static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(35);

    /// <summary>Hosts of one plan that are asked; further ones are not.</summary>
    public const int HostsMax = 30;

    /// <summary>How soon a plan is asked for again that did not come.</summary>
    public static readonly TimeSpan FaultValid = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private RoutePlan? _plan;
    private Task<RoutePlan>? _asked;

    /// <summary>The hosts last known, valid or not; null before the first plan.</summary>
    public HostPlan? LastHosts => Volatile.Read(ref _plan) as HostPlan;

    /// <exception cref="OperationCanceledException">The caller no longer waits; the answer is kept for the next one.</exception>
    public ValueTask<RoutePlan> GetAsync(CancellationToken cancel)
    {
        Task<RoutePlan> asked;
        lock (_gate)
        {
            if (_plan is { } plan && plan.ValidUntil > time.GetUtcNow())
            {
                return ValueTask.FromResult(plan);
            }

            asked = _asked ??= Task.Run(AskAsync, CancellationToken.None);
        }

        return new ValueTask<RoutePlan>(asked.WaitAsync(cancel));
    }

    /// <summary>The next message asks anew.</summary>
    public void Expire()
    {
        lock (_gate)
        {
            _plan = _plan is null ? null : _plan with { ValidUntil = DateTimeOffset.MinValue };
        }
    }

    private async Task<RoutePlan> AskAsync()
    {
        var plan = await PlanAsync();
        lock (_gate)
        {
            _plan = plan;
            _asked = null;
        }

        return plan;
    }

    private async Task<RoutePlan> PlanAsync()
    {
        using var limit = new WaitLimit(AnswerMax, time, default);
        try
        {
            var plan = await planner.PlanAsync(target, limit.Token).AsTask().WaitAsync(limit.Token);
            return plan switch
            {
                HostPlan { Hosts.IsEmpty: true } => throw new InvalidOperationException("a plan without a host"),
                HostPlan { Hosts.Length: > HostsMax } many => many with { Hosts = many.Hosts[..HostsMax] },
                _ => plan,
            };
        }
        catch (OperationCanceledException)
        {
            return NotNow(RelayFailure.ResolverUnavailable, new(4, 4, 3), "the name service did not answer in time");
        }
        catch (Exception exception)
        {
            return NotNow(RelayFailure.InternalError, new(4, 3, 0), DisplayText.Sanitize(exception.Message));
        }
    }

    private DeferredPlan NotNow(RelayFailure failure, EnhancedCode code, string why) => new(
        new HostFailure(failure, new Reply(451, code, $"Where mail for {target} goes is not known now: {why}")), time.GetUtcNow() + FaultValid);
}

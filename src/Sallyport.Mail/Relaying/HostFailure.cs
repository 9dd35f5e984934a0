using Sallyport.Mail.Smtp;

namespace Sallyport.Mail.Relaying;

/// <summary>Why a host, or all of a route, cannot be used now: as a value and in words.</summary>
public sealed record HostFailure(RelayFailure Failure, Reply Reply)
{
    /// <summary>What it means for a recipient: another host may do better.</summary>
    public RelayVerdict ToVerdict(int recipient) =>
        new(recipient, VerdictKind.Deferred, Reply, WholeHost: true) { IsLocal = true, Failure = Failure };
}

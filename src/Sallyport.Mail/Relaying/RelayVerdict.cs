using Sallyport.Mail.Smtp;

namespace Sallyport.Mail.Relaying;

public enum VerdictKind
{
    Relayed,

    /// <summary>Try again later.</summary>
    Deferred,

    /// <summary>Never.</summary>
    Failed,

    /// <summary>The next hop had enough of recipients for one transaction: at once, in another (RFC 5321 §4.5.3.1.10).</summary>
    Overflow,

    /// <summary>What we keep of the message could not be read or sent as it is: no host is to blame, an administrator must look.</summary>
    Damaged,
}

/// <param name="MaybeTwice">The next hop may have taken it although we do not know: its reply was lost.</param>
/// <param name="WholeHost">The reply is about the host, not about this recipient: another host may do better.</param>
public sealed record RelayVerdict(int Number, VerdictKind Kind, Reply Reply, bool MaybeTwice = false, bool WholeHost = false)
{
    /// <summary>Why, where it was not relayed.</summary>
    public RelayFailure Failure { get; init; }

    /// <summary>The reply is in our own words: no remote server said it, and a report must not claim so.</summary>
    public bool IsLocal { get; init; }

    /// <summary>The host lacks what the message needs; another host of the route may have it.</summary>
    public bool IsImpediment { get; init; }

    /// <summary>Another host of the same route may do better.</summary>
    public bool CanTryNextHost => IsImpediment || this is { Kind: VerdictKind.Deferred, WholeHost: true };
}

/// <summary>What a transaction told about the host, beside its recipients.</summary>
public enum HostState
{
    Healthy,

    /// <summary>4xx at MAIL: it has enough of us for now.</summary>
    Busy,

    /// <summary>It wants a login, or another one, at MAIL: about our configuration, for every message alike.</summary>
    RejectsCredentials,

    /// <summary>421, a conversation out of step, or a connection that broke.</summary>
    Disconnected,
}

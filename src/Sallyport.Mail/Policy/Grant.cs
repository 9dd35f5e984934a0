using System.Collections.Immutable;

namespace Sallyport.Mail.Policy;

/// <summary>What an authenticated login may use as reverse-path and author.</summary>
/// <param name="Login">The canonical login, as the log and the spool name it.</param>
/// <param name="Directory">The directory that knew it.</param>
/// <param name="Addresses">Addresses it may send as, each also with a subaddress (jane+x@).</param>
public sealed record Grant(string Login, string Directory, ImmutableArray<string> Addresses)
{
    /// <summary>By which name its directory was asked, when that is not what the client typed: a token or a certificate said it.</summary>
    public string? AskedAs { get; init; }

    /// <summary>Groups the login is in, as its directory names them.</summary>
    public ImmutableArray<string> Groups { get; init; } = [];

    /// <summary>Whole domains and patterns it may send as.</summary>
    public ImmutableArray<SenderPattern> Patterns { get; init; } = [];

    public SenderMode Mode { get; init; } = SenderMode.Refuse;

    /// <summary>Where each right comes from, in the words of an explanation: "jane@acme.test" by "directory domino".</summary>
    public ImmutableArray<GrantedRight> Rights { get; init; } = [];

    /// <summary>The app password that proved the login; null for any other proof.</summary>
    public AppPasswordName? Through { get; init; }

    /// <summary>Of all it may send as only what one of these covers; empty for no such limit.</summary>
    public ImmutableArray<SenderPattern> Only { get; init; } = [];

    /// <summary>The directory that is away and whose word of an earlier login is gone by; empty otherwise.</summary>
    public string Outage { get; init; } = "";

    /// <summary>What an administrator should know of how it was granted, for the log; empty otherwise.</summary>
    public string Note { get; init; } = "";
}

/// <param name="Id">Unique.</param>
/// <param name="Label">What the device is called.</param>
public sealed record AppPasswordName(string Id, string Label);

/// <param name="Sender">An address or a pattern.</param>
/// <param name="Source">Who says so.</param>
public sealed record GrantedRight(string Sender, string Source);

/// <summary>What happens to a sender that is not granted.</summary>
public enum SenderMode
{
    /// <summary>The message is refused with the reason.</summary>
    Refuse,

    /// <summary>The login's own address becomes the reverse-path and is named in Sender (RFC 6409 §8.1); From stays.</summary>
    Rewrite,

    /// <summary>The message passes as it is; the log says so.</summary>
    Log,
}

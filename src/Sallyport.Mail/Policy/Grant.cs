using System.Collections.Immutable;

namespace Sallyport.Mail.Policy;

/// <summary>What an authenticated login may use as reverse-path and author.</summary>
/// <param name="Login">The canonical login, as the log and the spool name it.</param>
/// <param name="Directory">The directory that knew it.</param>
/// <param name="Addresses">Addresses it may send as, each also with a subaddress (jane+x@).</param>
public sealed record Grant(string Login, string Directory, ImmutableArray<string> Addresses)
{
    /// <summary>Groups the login is in, as its directory names them.</summary>
    public ImmutableArray<string> Groups { get; init; } = [];
}

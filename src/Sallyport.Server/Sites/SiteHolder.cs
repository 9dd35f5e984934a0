using Sallyport.Server.Configuration;

namespace Sallyport.Server.Sites;

/// <summary>The snapshot in force. Everything that goes by a configuration reads it here; one assignment replaces all of it.</summary>
/// <param name="first">Options in force until there is the first snapshot: what it is built of goes by them.</param>
public sealed class SiteHolder(ServerOptions first) : IOptionsInForce
{
    private SiteSnapshot? _current;

    /// <exception cref="InvalidOperationException">There was no <see cref="Swap"/> yet.</exception>
    public SiteSnapshot Current => Volatile.Read(ref _current) ?? throw new InvalidOperationException("the site has no snapshot yet");

    public ServerOptions Options => Volatile.Read(ref _current)?.Options ?? first;

    /// <summary>Puts a complete snapshot in force.</summary>
    public void Swap(SiteSnapshot next) => Volatile.Write(ref _current, next);
}

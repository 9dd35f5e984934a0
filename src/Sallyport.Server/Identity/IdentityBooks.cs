using System.Collections.Immutable;
using Sallyport.Server.Configuration;
using Sallyport.Store;

namespace Sallyport.Server.Identity;

/// <summary>What identity keeps in the store and holds in memory, loaded once and carried over every reload.</summary>
public sealed record IdentityBooks(MadeUpVerifiers MadeUp, GrantBook Grants)
{
    public static async ValueTask<IdentityBooks> LoadAsync(IStore store, CancellationToken cancel) => new(
        await MadeUpVerifiers.LoadAsync(store.Settings, cancel),
        await GrantBook.LoadAsync(store.Facts, cancel));

    /// <summary>Identity under a configuration.</summary>
    /// <param name="nonce">The server's half of every SCRAM nonce, for tests; null draws one each time.</param>
    public IdentityService NewService(
        ServerOptions options, ImmutableArray<IDirectory> directories, TimeProvider time, string? nonce = null)
    {
        var grants = new GrantResolver(options.Grants, options.SenderModes, Grants, directories);
        var service = new IdentityService(directories, MadeUp, grants, time);
        return nonce is null ? service : new IdentityService(directories, MadeUp, grants, time) { Nonce = () => nonce };
    }
}

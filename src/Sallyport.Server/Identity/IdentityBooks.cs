using System.Collections.Immutable;
using Sallyport.Server.Configuration;
using Sallyport.Server.Guard;
using Sallyport.Server.Identity.AppPasswords;
using Sallyport.Server.Identity.Chain;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Grants;
using Sallyport.Server.Identity.Offline;
using Sallyport.Server.Identity.Passwords;
using Sallyport.Server.Sending;
using Sallyport.Server.State;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Identity;

/// <summary>What identity keeps in the store and holds in memory, loaded once and carried over every reload.</summary>
public sealed class IdentityBooks : IAsyncDisposable
{
    private IdentityBooks(
        IOptionsInForce site, SiteState state, GrantRegistry grants, AppPasswordRegistry appPasswords, LoginFailureTracker failures,
        TimeProvider time)
    {
        (State, Grants, AppPasswords, Decoys) = (state, grants, appPasswords, new DecoyVerifiers(state.Keys));
        Guard = new LoginGuard(failures, state.Log, time, site);
        Time = time;
    }

    /// <summary>What the site's nodes share.</summary>
    public SiteState State { get; }

    public DecoyVerifiers Decoys { get; }

    public GrantRegistry Grants { get; }

    public AppPasswordRegistry AppPasswords { get; }

    public LoginGuard Guard { get; }

    /// <summary>Logins that may not send.</summary>
    public required SuspensionRegistry Suspensions { get; init; }

    /// <summary>Names secrets while this process lives.</summary>
    public required SecretFingerprint Fingerprint { get; init; }

    /// <summary>The threads that hash, one set for all.</summary>
    public required PasswordHasher Hasher { get; init; }

    /// <summary>What directories last said, for the time they are down.</summary>
    public required OfflineCredentialCache Outages { get; init; }

    /// <summary>What directories said a moment ago.</summary>
    public required SuccessCache Successes { get; init; }

    private TimeProvider Time { get; }

    public static async ValueTask<IdentityBooks> LoadAsync(
        IStore store, IOptionsInForce site, IMailLog log, TimeProvider time, CancellationToken cancel)
    {
        var state = await SiteState.OpenAsync(store.Site(ISiteStore.DefaultName), log, time, cancel);
#pragma warning disable CA2000 // The books', and disposed with them.
        var fingerprint = new SecretFingerprint();
        var hasher = new PasswordHasher(site.Options.Limits, fingerprint, time);
#pragma warning restore CA2000
        return new IdentityBooks(
            site,
            state,
            await GrantRegistry.LoadAsync(state, cancel),
            await AppPasswordRegistry.LoadAsync(state, cancel),
            await LoginFailureTracker.LoadAsync(state, cancel),
            time)
        {
            Suspensions = await SuspensionRegistry.LoadAsync(state, time, cancel),
            Fingerprint = fingerprint,
            Hasher = hasher,
            Outages = await OfflineCredentialCache.LoadAsync(state, hasher, fingerprint, cancel),
            Successes = new SuccessCache(fingerprint, time),
        };
    }

    /// <summary>Identity under a configuration.</summary>
    /// <param name="nonce">The server's half of every SCRAM nonce, for tests; null draws one each time.</param>
    public IdentityService NewService(ServerOptions options, ImmutableArray<IDirectory> directories, string? nonce = null)
    {
        var chain = new DirectoryChain(directories, Time);
        var grants = new GrantResolver(options.Grants, options.SenderModes, Grants, chain);
        return nonce is null
            ? new IdentityService(chain, options, this, grants, Time)
            : new IdentityService(chain, options, this, grants, Time) { Nonce = () => nonce };
    }

    /// <summary>The login has a new secret, or the administrator says so: nothing is held against it, and nothing taken for granted.</summary>
    /// <param name="login">Prepared.</param>
    public void Forget(string login)
    {
        Guard.Forget(login);
        Successes.Forget(login);
    }

    public async ValueTask DisposeAsync()
    {
        Hasher.Dispose();
        await State.DisposeAsync();
        Outages.Dispose();
    }
}

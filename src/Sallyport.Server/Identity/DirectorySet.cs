using System.Collections.Immutable;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Dovecot;
using Sallyport.Server.Identity.Hashes;
using Sallyport.Server.Identity.Ldap;
using Sallyport.Server.Identity.Oidc;
using Sallyport.Server.Identity.Servers;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Identity;

/// <summary>What directories are made of.</summary>
public sealed record DirectoryServices(IStore Store, PasswordHasher Hasher, DecoyVerifiers Decoys, IMailLog Log, TimeProvider Time);

/// <summary>
/// The directories of a configuration. One whose options did not change is carried over a reload with its connections; one that is
/// no longer there is closed once the sessions that may still ask it have had their time.
/// </summary>
public sealed class DirectorySet(DirectoryServices services) : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(2);

    private readonly Lock _gate = new();
    private Dictionary<DirectoryOptions, IDirectory> _open = [];

    /// <summary>The directories in the order they are asked.</summary>
    public ImmutableArray<IDirectory> Open(ImmutableArray<DirectoryOptions> options)
    {
        var all = options.OfType<LocalDirectoryOptions>().Any() ? options : options.Add(new LocalDirectoryOptions("local"));
        lock (_gate)
        {
            var next = new Dictionary<DirectoryOptions, IDirectory>();
            foreach (var option in all)
            {
                next[option] = _open.Remove(option, out var kept) ? kept : Create(option);
            }

            foreach (var gone in _open.Values)
            {
                _ = CloseLaterAsync(gone);
            }

            _open = next;
            ImmutableArray<IDirectory> directories = [.. all.Select(option => next[option])];
            EvenOut([.. directories.OfType<IPasswordDirectory>()]);
            return directories;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Dictionary<DirectoryOptions, IDirectory> open;
        lock (_gate)
        {
            (open, _open) = (_open, []);
        }

        foreach (var directory in open.Values)
        {
            await CloseAsync(directory);
        }
    }

    /// <summary>
    /// A wrong password costs one hash whether or not the login exists, and then at the last directory; none where another directory
    /// is asked over a wire, whose wrong passwords cost none: there a hash would tell who is unknown, and guesses at made-up names
    /// would keep users waiting.
    /// </summary>
    private static void EvenOut(IReadOnlyList<IPasswordDirectory> asked)
    {
        var allHash = asked.All(directory => directory is IHashingDirectory);
        for (var i = 0; i < asked.Count; i++)
        {
            if (asked[i] is IHashingDirectory hashing)
            {
                hashing.HashesForUnknown = allHash && i == asked.Count - 1;
            }
        }
    }

    private IDirectory Create(DirectoryOptions options) => options switch
    {
        LocalDirectoryOptions local => new LocalDirectory(local.Name, services),
        OidcDirectoryOptions oidc => new OidcDirectory(oidc, services.Time),
        CertificateDirectoryOptions certificate => new CertificateDirectory(certificate),
        HashesDirectoryOptions hashes => new HashesDirectory(hashes, services),
        LdapDirectoryOptions ldap => new LdapDirectory(ldap, services.Time, text => services.Log.Write(new MailEvent.Notice(text))),
        MailboxDirectoryOptions mailbox => new MailboxDirectory(mailbox, services.Time),
        DovecotDirectoryOptions dovecot => new DovecotDirectory(dovecot, services.Time),
        _ => throw new InvalidOperationException($"no directory is made of {options.GetType().Name}"),
    };

    private async Task CloseLaterAsync(IDirectory directory)
    {
        await Task.Delay(Grace, services.Time);
        await CloseAsync(directory);
    }

    private static async ValueTask CloseAsync(IDirectory directory)
    {
        switch (directory)
        {
            case IAsyncDisposable asynchronous:
                await asynchronous.DisposeAsync();
                break;
            case IDisposable disposable:
                disposable.Dispose();
                break;
        }
    }
}

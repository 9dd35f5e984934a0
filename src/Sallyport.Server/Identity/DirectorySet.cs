using System.Collections.Immutable;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories;
using Sallyport.Server.Identity.Directories.Certificates;
using Sallyport.Server.Identity.Directories.Dovecot;
using Sallyport.Server.Identity.Directories.Hashes;
using Sallyport.Server.Identity.Directories.Ldap;
using Sallyport.Server.Identity.Directories.Local;
using Sallyport.Server.Identity.Directories.Mailboxes;
using Sallyport.Server.Identity.Directories.Oidc;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Identity;

/// <summary>
/// The directories of a configuration. One whose options did not change is carried over a reload with its connections; one that is
/// no longer there is closed once the sessions that may still ask it have had their time.
/// </summary>
public sealed class DirectorySet(DirectoryServices services) : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(2);

    private readonly Lock _gate = new();
    private Dictionary<DirectoryOptions, IDirectory> _open = [];

    /// <summary>Makes what is not there yet. Nothing that is in use changes before <see cref="PreparedDirectories.Commit"/>.</summary>
    public PreparedDirectories Prepare(ImmutableArray<DirectoryOptions> options)
    {
        var all = options.OfType<LocalDirectoryOptions>().Any() ? options : options.Add(new LocalDirectoryOptions("local"));
        lock (_gate)
        {
            var next = new Dictionary<DirectoryOptions, IDirectory>();
            var made = new List<IDirectory>();
            try
            {
                foreach (var option in all.Where(option => !next.ContainsKey(option)))
                {
                    next[option] = _open.TryGetValue(option, out var kept) ? kept : Create(option);
                    if (kept is null)
                    {
                        made.Add(next[option]);
                    }
                }
            }
            catch
            {
                made.ForEach(one => _ = CloseAsync(one).AsTask());
                throw;
            }

            return new PreparedDirectories([.. all.Select(option => next[option])], () => Commit(next), made.Select(CloseAsync));
        }
    }

    private void Commit(Dictionary<DirectoryOptions, IDirectory> next)
    {
        lock (_gate)
        {
            foreach (var gone in _open.Where(pair => !next.ContainsKey(pair.Key)))
            {
                _ = CloseLaterAsync(gone.Value);
            }

            _open = next;
            EvenOut([.. next.Values.OfType<IPasswordDirectory>()]);
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

/// <summary>The directories of a configuration that is not in force yet, in the order they are asked.</summary>
/// <param name="commit">Cannot fail.</param>
/// <param name="discard">Closes those made for it, when enumerated.</param>
public sealed class PreparedDirectories(ImmutableArray<IDirectory> directories, Action commit, IEnumerable<ValueTask> discard)
{
    public ImmutableArray<IDirectory> Directories => directories;

    /// <summary>In force from now on; those no longer named are closed later.</summary>
    public void Commit() => commit();

    /// <summary>The configuration is not taken: what was made for it is closed.</summary>
    public async ValueTask DiscardAsync()
    {
        foreach (var closing in discard)
        {
            await closing;
        }
    }
}

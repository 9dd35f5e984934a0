using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories;
using Sallyport.Server.Identity.Passwords;
using Sallyport.Server.State;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Identity;

public sealed class DirectorySetTests : IAsyncDisposable
{
    private static readonly LdapDirectoryOptions Ldap = new("domino") { Servers = [], UserFilter = "(uid=%s)" };
    private static readonly HashesDirectoryOptions Hashes = new("people", "/nonexistent/people");

    private readonly MemoryStore _store = new();
    private readonly PasswordHasher _hasher = new(new LimitOptions(), new SecretFingerprint(), TimeProvider.System);

    public async ValueTask DisposeAsync()
    {
        _hasher.Dispose();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task A_login_costs_one_hash_whether_or_not_it_exists_and_none_beside_a_directory_that_costs_none()
    {
        var madeUp = new DecoyVerifiers(await SiteKeys.LoadAsync(_store.Site().Keys, TestContext.Current.CancellationToken));
        await using var set = new DirectorySet(new DirectoryServices(_store, _hasher, madeUp, new RecordingLog(), TimeProvider.System));
        Assert.Equal([true], Hashing(set, []));
        Assert.Equal([false, true], Hashing(set, [Hashes]));
        Assert.Equal([false, true], Hashing(set, [new LocalDirectoryOptions("local"), Hashes]));
        Assert.Equal([false], Hashing(set, [Ldap]));
        Assert.Equal([false, false], Hashing(set, [Hashes, Ldap]));
        Assert.Equal([true], Hashing(set, [])); // carried over, and alone again
    }

    private static IEnumerable<bool> Hashing(DirectorySet set, DirectoryOptions[] options)
    {
        var prepared = set.Prepare([.. options]);
        prepared.Commit();
        return prepared.Directories.OfType<IHashingDirectory>().Select(directory => directory.HashesForUnknown);
    }
}

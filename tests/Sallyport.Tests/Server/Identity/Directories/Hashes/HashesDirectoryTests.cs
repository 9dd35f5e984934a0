using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories;
using Sallyport.Server.Identity.Directories.Hashes;
using Sallyport.Server.Identity.Passwords;
using Sallyport.Server.State;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Hashes;

public sealed class HashesDirectoryTests : IAsyncLifetime, IMailLog
{
    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("sallyport-hashes-").FullName, "passwords");
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryStore _store = new();
    private readonly PasswordHasher _hasher;
    private readonly List<string> _said = [];
    private HashesDirectory _directory = null!;

    public HashesDirectoryTests() => _hasher = new PasswordHasher(new LimitOptions(), new SecretFingerprint(), _time);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Write("# exported from names.nsf", "Jane Doe/Acme:(G0xjUQzdKxvHpUYqo5hU):jane@acme.test, info@acme.test:Sales,Staff",
            "bob@acme.test:$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
            "carol:no hash", "dave:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=:not an address", "bob@acme.test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=");
        _directory = await OpenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _hasher.Dispose();
        await _store.DisposeAsync();
        Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);
    }

    void IMailLog.Write(MailEvent mailEvent) => _said.Add(mailEvent switch
    {
        MailEvent.Notice notice => notice.What,
        MailEvent.Problem problem => problem.What,
        _ => mailEvent.ToString(),
    });

    [Fact]
    public async Task A_login_gets_its_addresses_and_groups_and_a_mistake_in_a_line_costs_that_line_alone()
    {
        var jane = Assert.IsType<LoginVerdict.Granted>(await CheckAsync("jane doe/acme", "koziolekmatolek")).Entry;
        Assert.Equal(["jane@acme.test", "info@acme.test"], jane.Addresses);
        Assert.Equal(["Sales", "Staff"], jane.Groups);
        Assert.Equal(["bob@acme.test"], Assert.IsType<LoginVerdict.Granted>(await CheckAsync("bob@acme.test", "Hello world!")).Entry.Addresses);
        Assert.Equal(LoginReason.WrongPassword, (await CheckAsync("bob@acme.test", "Hello world?")).Reason);
        Assert.Equal(LoginReason.UnknownLogin, (await CheckAsync("carol", "no hash")).Reason);
        Assert.IsType<LoginVerdict.Granted>(await _directory.FindAsync("bob@acme.test", Cancel));
        Assert.Equal("jane doe/acme", Assert.Single(await _directory.FindByAddressAsync("info@acme.test", Cancel)).Login);
        Assert.Contains(_said, text => text.EndsWith("line 4: the password of carol is in no form this server knows", StringComparison.Ordinal));
        Assert.Contains(_said, text => text.EndsWith("line 5: \"not an address\" of dave is not a mail address", StringComparison.Ordinal));
        Assert.Contains(_said, text => text.EndsWith("line 6: this login is there already", StringComparison.Ordinal));
        Assert.DoesNotContain(_said, text => text.Contains("no hash", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_weak_hash_is_replaced_at_the_first_login_and_the_file_stays_its_source()
    {
        Assert.Equal(LoginReason.WrongPassword, (await CheckAsync("jane doe/acme", "wrong")).Reason);
        Assert.Null(await RehashAsync());
        await CheckAsync("jane doe/acme", "koziolekmatolek");
        Assert.Contains(_said, text => text.StartsWith("the weak hash (Domino 4.6) of jane doe/acme", StringComparison.Ordinal));
        var again = await OpenAsync();
        var said = _said.Count;
        Assert.IsType<LoginVerdict.Granted>(await again.CheckPasswordAsync("jane doe/acme", "koziolekmatolek", Cancel));
        Assert.Equal(LoginReason.WrongPassword, (await again.CheckPasswordAsync("jane doe/acme", "koziolekmatole", Cancel)).Reason);
        Assert.DoesNotContain(_said.Skip(said), text => text.StartsWith("the weak hash", StringComparison.Ordinal));
        Write("Jane Doe/Acme:(GDJ0nDZI8l8RJzlRbemg)");
        Assert.Equal(LoginReason.WrongPassword, (await CheckAsync("jane doe/acme", "koziolekmatolek")).Reason);
        Assert.IsType<LoginVerdict.Granted>(await CheckAsync("jane doe/acme", "hashcat"));
    }

    [Fact]
    public async Task The_replacement_is_made_on_the_threads_of_the_hasher_from_the_password_that_was_proven()
    {
        await CheckAsync("jane doe/acme", "koziolekmatolek");
        var stored = JsonSerializer.Deserialize((await RehashAsync())!.Value!.Value.Span, HashesJson.Default.StoredRehash)!;
        Assert.Equal(PasswordHasher.Iterations, stored.Iterations);
        Assert.True(ScramSha256.Matches(
            new ScramVerifier(stored.Iterations, stored.Salt, stored.StoredKey, stored.ServerKey),
            ScramSha256.SaltedPassword("koziolekmatolek", stored.Salt, stored.Iterations)));
    }

    [Fact]
    public async Task A_replacement_that_is_damaged_keeps_nobody_out_and_is_made_anew()
    {
        await _store.PutAsync(RegistryKind.Rehash, "names.nsf\njane doe/acme", "{");
        Assert.IsType<LoginVerdict.Granted>(await CheckAsync("jane doe/acme", "koziolekmatolek"));
        Assert.NotEqual(1, (await RehashAsync())!.Value!.Value.Length);
    }

    [Fact]
    public async Task An_alias_is_the_login_and_who_is_disabled_stays_out_with_the_right_password()
    {
        Write("Jane Doe/Acme:(G0xjUQzdKxvHpUYqo5hU):jane@acme.test::alias=jane,alias=Doe\\, Jane",
            "bob:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=:::disabled");
        Assert.Equal("jane doe/acme", Assert.IsType<LoginVerdict.Granted>(await CheckAsync("jane", "koziolekmatolek")).Entry.Login);
        Assert.Equal("jane doe/acme", Assert.IsType<LoginVerdict.Granted>(await _directory.FindAsync("doe, jane", Cancel)).Entry.Login);
        Assert.Equal(LoginReason.Disabled, (await CheckAsync("bob", "test")).Reason);
        Assert.Equal(LoginReason.WrongPassword, (await CheckAsync("bob", "tset")).Reason);
        Assert.Equal(LoginReason.Disabled, (await _directory.FindAsync("bob", Cancel)).Reason);
        Assert.Single(await _directory.FindByAddressAsync("jane@acme.test", Cancel));
    }

    [Fact]
    public async Task A_strong_hash_stays_as_it_is()
    {
        await CheckAsync("bob@acme.test", "Hello world!");
        Assert.Empty(await _store.EntriesAsync(RegistryKind.Rehash));
    }

    [Fact]
    public async Task A_file_that_is_gone_is_no_wrong_password()
    {
        await CheckAsync("bob@acme.test", "Hello world!");
        File.Delete(_file);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.IsType<LoginVerdict.Unavailable>(await CheckAsync("bob@acme.test", "Hello world!"));
        Write("bob@acme.test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=");
        Assert.IsType<LoginVerdict.Granted>(await CheckAsync("bob@acme.test", "test"));
    }

    private void Write(params string[] lines)
    {
        File.WriteAllLines(_file, lines);
        _time.Advance(TimeSpan.FromSeconds(2));
        File.SetLastWriteTimeUtc(_file, _time.GetUtcNow().UtcDateTime);
    }

    private async Task<HashesDirectory> OpenAsync() => new(
        new HashesDirectoryOptions("names.nsf", _file),
        new DirectoryServices(_store, _hasher, new DecoyVerifiers(await SiteKeys.LoadAsync(_store.Site().Keys, Cancel)), this, _time));

    private ValueTask<LoginVerdict> CheckAsync(string login, string password) => _directory.CheckPasswordAsync(login, password, Cancel);

    private async ValueTask<RegistryEntry?> RehashAsync() =>
        await _store.Site().Registry.FindAsync(RegistryKind.Rehash, "names.nsf\njane doe/acme", Cancel);
}

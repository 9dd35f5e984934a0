using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Passwords;
using Sallyport.Server.State;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Identity.Directories.Hashes;

/// <summary>The stronger verifier that took the place of a weak hash, as it is stored. Names only grow.</summary>
/// <param name="Of">The name of the hash it was made for: another password at the source makes it void.</param>
internal sealed record StoredRehash(byte[] Of, int Iterations, byte[] Salt, byte[] StoredKey, byte[] ServerKey);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StoredRehash))]
internal sealed partial class HashesJson : JsonSerializerContext;

/// <summary>
/// Password hashes of another system, from a file that is read again when it changes. A weak hash is replaced, in our own store, by a
/// verifier of our own at the first login that proves its password; the file is never written.
/// </summary>
internal sealed class HashesDirectory(HashesDirectoryOptions options, DirectoryServices services) : IHashingDirectory, IAddressDirectory
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private HashFile _file = HashFile.Parse([]);
    private (DateTime WrittenAt, long Length) _seen;
    private DateTimeOffset _lookAgainAt;
    private string? _trouble;

    public bool HashesForUnknown { get; set; } = true;

    public string Name => options.Name;

    public ValueTask<LoginVerdict> CheckPasswordAsync(string login, string password, CancellationToken cancel) =>
        CheckAsync(null, login, password, cancel);

    public ValueTask<LoginVerdict> CheckPasswordAsync(LoginAttempt attempt, string login, string password, CancellationToken cancel) =>
        CheckAsync(attempt.Network, login, password, cancel);

    private async ValueTask<LoginVerdict> CheckAsync(IPAddress? network, string login, string password, CancellationToken cancel)
    {
        if (Look() is { } trouble)
        {
            return new LoginVerdict.Unavailable(trouble);
        }

        var account = _file.Accounts.GetValueOrDefault(login);
        if (account is null && !HashesForUnknown)
        {
            return new LoginVerdict.Denied(LoginReason.UnknownLogin);
        }

        var rehash = account is null ? null : await FindRehashAsync(account, cancel);
        ScramVerifier? stronger = null;
        var check = await services.Hasher.CheckAsync(
            ProofOf(account, rehash, login, made => stronger = made), account is not null, login, password, network);
        if (check == PasswordCheck.Right && stronger is not null)
        {
            await KeepAsync(account!, stronger, cancel);
        }

        return check switch
        {
            PasswordCheck.TooBusy => new LoginVerdict.Unavailable("too many logins are being checked at once"),
            PasswordCheck.Right => Answer(account!),
            _ when account is null => new LoginVerdict.Denied(LoginReason.UnknownLogin),
            _ => new LoginVerdict.Denied(LoginReason.WrongPassword) { Login = account.Login },
        };
    }

    public ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel) => ValueTask.FromResult<LoginVerdict>(
        Look() is { } trouble ? new LoginVerdict.Unavailable(trouble)
        : _file.Accounts.TryGetValue(login, out var account) ? Answer(account)
        : new LoginVerdict.Denied(LoginReason.UnknownLogin));

    public ValueTask<IReadOnlyList<DirectoryEntry>> FindByAddressAsync(string address, CancellationToken cancel)
    {
        Look();
        return ValueTask.FromResult<IReadOnlyList<DirectoryEntry>>(
            [.. _file.People.Where(account => !account.Disabled && account.Addresses.Contains(address)).Select(EntryOf)]);
    }

    /// <summary>
    /// An unknown login, and a weak hash, cost what a verifier of our own costs: how long the answer takes tells nothing. What a weak
    /// hash costs besides makes, when the password is right, the verifier that takes its place.
    /// </summary>
    private PasswordProof ProofOf(HashedAccount? account, ScramVerifier? rehash, string login, Action<ScramVerifier> strengthen)
    {
        var ours = rehash ?? services.Decoys.For(login);
        if (account is null || rehash is not null)
        {
            return new PasswordProof(ours.StoredKey, password =>
                ScramSha256.Matches(ours, ScramSha256.SaltedPassword(password, ours.Salt.Span, ours.Iterations)));
        }

        var hash = account.Hash;
        return new PasswordProof(account.Digest, password =>
        {
            var matches = hash.Matches(password);
            if (hash.IsWeak)
            {
                var made = PasswordHasher.CreateVerifier(password);
                if (matches)
                {
                    strengthen(made);
                }
            }

            return matches;
        });
    }

    private IRegistry Registry => services.Store.Site(ISiteStore.DefaultName).Registry;

    private async ValueTask<ScramVerifier?> FindRehashAsync(HashedAccount account, CancellationToken cancel)
    {
        if (!account.Hash.IsWeak
            || await Registry.FindAsync(RegistryKind.Rehash, Key(account), cancel) is not { Value: { } value })
        {
            return null;
        }

        ScramVerifier? found = null;
        try
        {
            var stored = StoredJson.Read(value, HashesJson.Default.StoredRehash);
            found = CryptographicOperations.FixedTimeEquals(stored.Of, account.Digest)
                ? new ScramVerifier(stored.Iterations, stored.Salt, stored.StoredKey, stored.ServerKey)
                : null;
        }
        catch (Exception exception) // the hash in the file still is the login's
        {
            services.Log.Write(new MailEvent.Problem(
                $"the stored {RegistryKind.Rehash} \"{Key(account).Replace('\n', ' ')}\" is damaged and passed over: {exception.Message}"));
        }

        return found;
    }

    private async ValueTask KeepAsync(HashedAccount account, ScramVerifier verifier, CancellationToken cancel)
    {
        var stored = new StoredRehash(
            account.Digest, verifier.Iterations, verifier.Salt.ToArray(), verifier.StoredKey.ToArray(), verifier.ServerKey.ToArray());
        var value = JsonSerializer.SerializeToUtf8Bytes(stored, HashesJson.Default.StoredRehash);
        try
        {
            await Registry.WriteAsync([new RegistryWrite(RegistryKind.Rehash, Key(account), value, null)], cancel);
            services.Log.Write(new MailEvent.Notice(
                $"the weak hash ({account.Hash.Form}) of {account.Login} in {options.File} is replaced by a verifier of this server; "
                + "the file still has it: protect it, or have the password set anew"));
        }
        catch (StoreException)
        {
            // The login is right all the same; the next one tries again.
        }
    }

    private string Key(HashedAccount account) => $"{options.Name}\n{account.Login}";

    private LoginVerdict Answer(HashedAccount account) =>
        account.Disabled ? new LoginVerdict.Denied(LoginReason.Disabled) : new LoginVerdict.Granted(EntryOf(account));

    private DirectoryEntry EntryOf(HashedAccount account) => new(account.Login, options.Name, account.Addresses, account.Groups);

    /// <summary>Reads the file again when it has changed. Null when there is one to go by; else why not.</summary>
    private string? Look()
    {
        lock (_gate)
        {
            var now = services.Time.GetUtcNow();
            if (now < _lookAgainAt)
            {
                return _trouble;
            }

            _lookAgainAt = now + LookEvery;
            try
            {
                var info = new FileInfo(options.File);
                var seen = (info.LastWriteTimeUtc, info.Exists ? info.Length : -1);
                if (seen != _seen || _trouble is not null)
                {
                    Read(info);
                    _seen = seen;
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                _trouble = $"{options.File} cannot be read: {exception.Message}";
                services.Log.Write(new MailEvent.Problem(_trouble));
            }

            return _trouble;
        }
    }

    private void Read(FileInfo info)
    {
        if (info.Length > HashFile.BytesMax)
        {
            throw new IOException($"it is larger than {HashFile.BytesMax / 1024 / 1024} MiB");
        }

        _file = HashFile.Parse(File.ReadLines(options.File));
        _trouble = null;
        var weak = _file.People.Select(account => account.Hash).Where(hash => hash.IsWeak).GroupBy(hash => hash.Form)
            .Select(group => $"{group.Count()} {group.Key}").ToList();
        services.Log.Write(new MailEvent.Notice($"{options.File}: {_file.People.Length} logins"
            + (weak.Count == 0 ? "" : $"; weak hashes, each replaced in the store at its first login: {string.Join(", ", weak)}")));
        foreach (var mistake in _file.Mistakes.Take(20))
        {
            services.Log.Write(new MailEvent.Problem($"{options.File}: {mistake}"));
        }
    }
}

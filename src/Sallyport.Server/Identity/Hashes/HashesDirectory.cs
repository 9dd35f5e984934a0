using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Identity.Hashes;

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
internal sealed class HashesDirectory(HashesDirectoryOptions options, DirectoryServices services) : IPasswordDirectory, IAddressDirectory
{
    private const long FileBytesMax = 64L * 1024 * 1024;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private HashFile _file = HashFile.Parse([]);
    private (DateTime WrittenAt, long Length) _seen;
    private DateTimeOffset _lookAgainAt;
    private string? _trouble;

    public string Name => options.Name;

    public ValueTask<DirectoryAnswer> CheckPasswordAsync(string login, string password, CancellationToken cancel) =>
        CheckAsync(null, login, password, cancel);

    public ValueTask<DirectoryAnswer> CheckPasswordAsync(LoginAttempt attempt, string login, string password, CancellationToken cancel) =>
        CheckAsync(attempt.Network, login, password, cancel);

    private async ValueTask<DirectoryAnswer> CheckAsync(IPAddress? network, string login, string password, CancellationToken cancel)
    {
        if (Look() is { } trouble)
        {
            return new DirectoryAnswer.Unavailable(trouble);
        }

        var account = _file.Accounts.GetValueOrDefault(login);
        var rehash = account is null ? null : await FindRehashAsync(account, cancel);
        var check = await services.Hasher.CheckAsync(ProofOf(account, rehash, login), account is not null, login, password, network);
        if (check == PasswordCheck.Right && account!.Hash.IsWeak && rehash is null)
        {
            await RehashAsync(account, password, cancel);
        }

        return check switch
        {
            PasswordCheck.TooBusy => new DirectoryAnswer.Unavailable("too many logins are being checked at once"),
            PasswordCheck.Right => Granted(account!),
            _ => account is null ? new DirectoryAnswer.Unknown() : new DirectoryAnswer.WrongPassword(),
        };
    }

    public ValueTask<DirectoryAnswer> FindAsync(string login, CancellationToken cancel) => ValueTask.FromResult<DirectoryAnswer>(
        Look() is { } trouble ? new DirectoryAnswer.Unavailable(trouble)
        : _file.Accounts.TryGetValue(login, out var account) ? Granted(account)
        : new DirectoryAnswer.Unknown());

    public ValueTask<IReadOnlyList<DirectoryEntry>> FindByAddressAsync(string address, CancellationToken cancel)
    {
        Look();
        return ValueTask.FromResult<IReadOnlyList<DirectoryEntry>>(
            [.. _file.Accounts.Values.Where(account => account.Addresses.Contains(address)).Select(account => Granted(account).Entry)]);
    }

    /// <summary>
    /// An unknown login, and a weak hash, cost what a verifier of our own costs: how long the answer takes tells nothing.
    /// </summary>
    private PasswordProof ProofOf(HashedAccount? account, ScramVerifier? rehash, string login)
    {
        var ours = rehash ?? services.MadeUp.For(login);
        return account is null || rehash is not null
            ? new PasswordProof(ours.StoredKey, password =>
                ScramSha256.Matches(ours, ScramSha256.SaltedPassword(password, ours.Salt.Span, ours.Iterations)))
            : new PasswordProof(account.Name, password =>
            {
                var matches = account.Hash.Matches(password);
                if (account.Hash.IsWeak)
                {
                    ScramSha256.SaltedPassword(password, ours.Salt.Span, ours.Iterations);
                }

                return matches;
            });
    }

    private async ValueTask<ScramVerifier?> FindRehashAsync(HashedAccount account, CancellationToken cancel)
    {
        if (!account.Hash.IsWeak || await services.Store.Facts.FindAsync(FactKind.Rehash, Key(account), cancel) is not { } fact)
        {
            return null;
        }

        var stored = JsonSerializer.Deserialize(fact.Value.Span, HashesJson.Default.StoredRehash)!;
        return CryptographicOperations.FixedTimeEquals(stored.Of, account.Name.Span)
            ? new ScramVerifier(stored.Iterations, stored.Salt, stored.StoredKey, stored.ServerKey)
            : null;
    }

    private async ValueTask RehashAsync(HashedAccount account, string password, CancellationToken cancel)
    {
        var verifier = await Task.Run(() => PasswordHasher.CreateVerifier(password), cancel);
        var stored = new StoredRehash(
            account.Name.ToArray(), verifier.Iterations, verifier.Salt.ToArray(), verifier.StoredKey.ToArray(), verifier.ServerKey.ToArray());
        var value = JsonSerializer.SerializeToUtf8Bytes(stored, HashesJson.Default.StoredRehash);
        try
        {
            await services.Store.Facts.SaveAsync([new FactChange.Put(new Fact(FactKind.Rehash, Key(account), value, null))], cancel);
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

    private DirectoryAnswer.Granted Granted(HashedAccount account) =>
        new(new DirectoryEntry(account.Login, options.Name, account.Addresses, account.Groups));

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
        if (info.Length > FileBytesMax)
        {
            throw new IOException($"it is larger than {FileBytesMax / 1024 / 1024} MiB");
        }

        _file = HashFile.Parse(File.ReadLines(options.File));
        _trouble = null;
        var weak = _file.Accounts.Values.Where(account => account.Hash.IsWeak).GroupBy(account => account.Hash.Form)
            .Select(group => $"{group.Count()} {group.Key}").ToList();
        services.Log.Write(new MailEvent.Notice($"{options.File}: {_file.Accounts.Count} logins"
            + (weak.Count == 0 ? "" : $"; weak hashes, each replaced in the store at its first login: {string.Join(", ", weak)}")));
        foreach (var mistake in _file.Mistakes.Take(20))
        {
            services.Log.Write(new MailEvent.Problem($"{options.File}: {mistake}"));
        }
    }
}

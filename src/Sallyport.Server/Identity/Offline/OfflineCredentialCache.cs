using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Passwords;
using Sallyport.Server.State;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Identity.Offline;

/// <summary>Whose last success, where, and from where.</summary>
/// <param name="Login">Prepared, as it was typed.</param>
public readonly record struct OutageKey(string Directory, string Login, IPAddress Network);

/// <summary>A login as its directory last said, from one network.</summary>
/// <param name="At">When that was.</param>
/// <param name="Verifier">Of the password it was; null when only app passwords have been.</param>
public sealed record OutageEntry(DirectoryEntry Entry, DateTimeOffset At, ScramVerifier? Verifier)
{
    /// <summary>When the directory last found that very password right: an app password's success says nothing of it.</summary>
    public DateTimeOffset PasswordAt { get; init; } = At;
}

/// <summary>As it is stored. Names only grow.</summary>
internal sealed record StoredOutage(
    string Login, string[] Addresses, string[] Groups, DateTimeOffset At, int Iterations, byte[] Salt, byte[] StoredKey, byte[] ServerKey)
{
    /// <summary>Of the password; missing in what was stored before, where it is the same.</summary>
    public DateTimeOffset? PasswordAt { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StoredOutage))]
internal sealed partial class OutageJson : JsonSerializerContext;

/// <summary>
/// What directories last said of logins, for the time they are down: in memory to decide, written behind to last. A password is kept as
/// a slow verifier, bound to login, directory and network, and made again only for another password; the guess is checked on the
/// hashing threads.
/// </summary>
public sealed class OfflineCredentialCache : IRegistryHolder, IDisposable
{
    /// <summary>Logins and networks remembered, in all.</summary>
    public const int EntriesMax = 50_000;

    /// <summary>Networks remembered of one login.</summary>
    public const int NetworksMax = 8;

    private const int KeyCharactersMax = 500;
    private const int MadeAtOnce = 4;
    private const int UnderWayMax = 5_000;

    /// <summary>The time of a success is stored again when it is older than this part of what it is good for.</summary>
    private const int StoredParts = 10;

    private readonly WriteBehindBuffer _buffer;
    private readonly IMailLog _log;
    private readonly PasswordHasher _hasher;
    private readonly SecretFingerprint _fingerprint;
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Directory, string Login), Dictionary<IPAddress, Known>> _known = [];
    private readonly HashSet<OutageKey> _underWay = [];
    private readonly SemaphoreSlim _turns = new(MadeAtOnce);
    private int _count;

    private OfflineCredentialCache(SiteState state, PasswordHasher hasher, SecretFingerprint fingerprint) =>
        (_buffer, _log, _hasher, _fingerprint) = (state.Buffer, state.Log, hasher, fingerprint);

    public RegistryKind Kind => RegistryKind.OutageVerifier;

    public IReadOnlyCollection<string> Keys
    {
        get
        {
            lock (_gate)
            {
                return
                [
                    .. from known in _known
                       from network in known.Value.Keys
                       select Key(new OutageKey(known.Key.Directory, known.Key.Login, network)),
                ];
            }
        }
    }

    public static async ValueTask<OfflineCredentialCache> LoadAsync(
        SiteState state, PasswordHasher hasher, SecretFingerprint fingerprint, CancellationToken cancel)
    {
        var cache = new OfflineCredentialCache(state, hasher, fingerprint);
        await state.Registry.JoinAsync(cache, cancel);
        return cache;
    }

    public void Apply(RegistryEntry entry)
    {
        if (entry.Key.Split('\n') is not [var directory, var login, var text] || !IPAddress.TryParse(text, out var network))
        {
            return;
        }

        var key = new OutageKey(directory, login, network);
        var stored = entry.Value is { } value ? StoredJson.Read(value, OutageJson.Default.StoredOutage) : null;
        lock (_gate)
        {
            if (stored is null)
            {
                Drop(key);
            }
            else
            {
                Restore(key, stored);
            }
        }
    }

    /// <summary>The last success from this network, when it is no older than it may be.</summary>
    public OutageEntry? Find(OutageKey key, TimeSpan goodFor, DateTimeOffset now)
    {
        lock (_gate)
        {
            return Get(key) is { Entry: var entry } && now - entry.At <= goodFor ? entry : null;
        }
    }

    /// <summary>Is this the password of the last success? Slow, and bounded.</summary>
    public ValueTask<PasswordCheck> CheckAsync(OutageKey key, ScramVerifier verifier, string password) =>
        _hasher.CheckAsync(verifier, true, key.Login, Bound(key, password), key.Network);

    /// <summary>The directory has let the login in.</summary>
    /// <param name="password">Null when it was an app password.</param>
    /// <returns>Completes when all is in the buffer; nobody has to wait for it.</returns>
    public async Task SucceededAsync(OutageKey key, string? password, DirectoryEntry entry, TimeSpan goodFor, DateTimeOffset now)
    {
        var name = password is null ? null : NameOf(key.Login, password);
        if (Key(key).Length > KeyCharactersMax || !Note(key, name, entry, goodFor, now))
        {
            return;
        }

        await _turns.WaitAsync();
        try
        {
            var made = await _hasher.MakeVerifierAsync(Bound(key, password!));
            lock (_gate)
            {
                if (made is not null && Get(key) is { } known)
                {
                    known.Entry = known.Entry with { Verifier = made, PasswordAt = now };
                    known.Name = name;
                    Store(key, known, goodFor);
                }
            }
        }
        finally
        {
            _turns.Release();
            lock (_gate)
            {
                _underWay.Remove(key);
            }
        }
    }

    /// <summary>Behind the login, which does not wait for it; a fault of ours is named in the log.</summary>
    public void Behind(Task work) => _ = work.ContinueWith(
        failed => _log.Write(new MailEvent.Problem(
            $"what a directory said of a login could not be remembered, by a fault of ours: {failed.Exception!.GetBaseException().Message}")),
        CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    public void Dispose() => _turns.Dispose();

    /// <summary>The directory refused a password of the login: whoever has it may not go on with it.</summary>
    /// <returns>Completes when it is forgotten; nobody has to wait for it.</returns>
    public async Task RefusedAsync(string directory, string login, string password)
    {
        List<(OutageKey Key, Known Known)> suspects;
        lock (_gate)
        {
            suspects =
            [
                .. from name in NamesOf(directory, login)
                   from pair in _known[(directory, name)]
                   where pair.Value.Entry.Verifier is not null
                   select (new OutageKey(directory, name, pair.Key), pair.Value),
            ];
        }

        foreach (var (key, known) in suspects)
        {
            // Of a password this process has seen its name is known; of one from before a restart only the slow verifier tells.
            var isIt = known.Name is null
                ? await CheckAsync(key, known.Entry.Verifier!, password) == PasswordCheck.Right
                : known.Name == NameOf(key.Login, password);
            if (isIt)
            {
                Remove(key);
            }
        }
    }

    /// <summary>The directory no longer lets the login in, whatever its password.</summary>
    public void Forget(string directory, string login)
    {
        lock (_gate)
        {
            foreach (var name in NamesOf(directory, login))
            {
                foreach (var network in _known[(directory, name)].Keys.ToList())
                {
                    Remove(new OutageKey(directory, name, network));
                }
            }
        }
    }

    /// <summary>By which names whoever has this one is remembered: a directory may know a person by several.</summary>
    private List<string> NamesOf(string directory, string login)
    {
        if (!_known.TryGetValue((directory, login), out var own))
        {
            return [];
        }

        var people = own.Values.Select(known => known.Entry.Entry.Login).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. _known.Where(pair => pair.Key.Directory == directory && pair.Value.Values.Any(known => people.Contains(known.Entry.Entry.Login)))
                .Select(pair => pair.Key.Login),
        ];
    }

    /// <summary>True when its verifier is to be made, which is the caller's then.</summary>
    private bool Note(OutageKey key, string? name, DirectoryEntry entry, TimeSpan goodFor, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (Get(key) is not { } known)
            {
                if (!MakeRoom(key, goodFor, now))
                {
                    return false;
                }

                known = Add(key, new OutageEntry(entry, now, null));
            }

            var changed = !known.Entry.Entry.Addresses.SequenceEqual(entry.Addresses) || !known.Entry.Entry.Groups.SequenceEqual(entry.Groups);
            known.Entry = known.Entry with
            {
                Entry = entry,
                At = now,
                PasswordAt = name is not null && name == known.Name ? now : known.Entry.PasswordAt,
            };
            var make = name is not null && known.Name != name && _underWay.Count < UnderWayMax && _underWay.Add(key);
            if (make && known.Name is not null)
            {
                known.Entry = known.Entry with { Verifier = null }; // another password: the last one is good for nothing any more
            }

            if (make || changed || now - known.StoredAt >= goodFor / StoredParts)
            {
                Store(key, known, goodFor);
            }

            return make;
        }
    }

    private bool MakeRoom(OutageKey key, TimeSpan goodFor, DateTimeOffset now)
    {
        if (_known.TryGetValue((key.Directory, key.Login), out var networks) && networks.Count >= NetworksMax)
        {
            Remove(key with { Network = networks.MinBy(pair => pair.Value.Entry.At).Key });
        }

        if (_count >= EntriesMax)
        {
            var old = _known.SelectMany(pair => pair.Value.Where(one => now - one.Value.Entry.At > goodFor)
                .Select(one => new OutageKey(pair.Key.Directory, pair.Key.Login, one.Key))).ToList();
            old.ForEach(Remove);
        }

        return _count < EntriesMax;
    }

    private Known? Get(OutageKey key) => _known.GetValueOrDefault((key.Directory, key.Login))?.GetValueOrDefault(key.Network);

    private Known Add(OutageKey key, OutageEntry entry)
    {
        if (!_known.TryGetValue((key.Directory, key.Login), out var networks))
        {
            _known[(key.Directory, key.Login)] = networks = [];
        }

        _count++;
        return networks[key.Network] = new Known(entry);
    }

    private void Remove(OutageKey key)
    {
        lock (_gate)
        {
            if (Drop(key))
            {
                _buffer.Remove(Kind, Key(key), isUrgent: true); // on other nodes too, whoever has it may not go on with it
            }
        }
    }

    private bool Drop(OutageKey key)
    {
        if (!_known.TryGetValue((key.Directory, key.Login), out var networks) || !networks.Remove(key.Network))
        {
            return false;
        }

        _count--;
        if (networks.Count == 0)
        {
            _known.Remove((key.Directory, key.Login));
        }

        return true;
    }

    private void Store(OutageKey key, Known known, TimeSpan goodFor)
    {
        var ((entry, at, verifier), none) = (known.Entry, default(ReadOnlyMemory<byte>));
        known.StoredAt = at;
        var stored = new StoredOutage(entry.Login, [.. entry.Addresses], [.. entry.Groups], at, verifier?.Iterations ?? 0,
            (verifier?.Salt ?? none).ToArray(), (verifier?.StoredKey ?? none).ToArray(), (verifier?.ServerKey ?? none).ToArray())
        { PasswordAt = known.Entry.PasswordAt };
        _buffer.Put(Kind, Key(key), JsonSerializer.SerializeToUtf8Bytes(stored, OutageJson.Default.StoredOutage), at + goodFor);
    }

    private void Restore(OutageKey key, StoredOutage stored)
    {
        Drop(key); // another node has seen a later success
        if (_count < EntriesMax)
        {
            var entry = new DirectoryEntry(stored.Login, key.Directory, [.. stored.Addresses], [.. stored.Groups]);
            var verifier = stored.Iterations == 0 ? null : new ScramVerifier(stored.Iterations, stored.Salt, stored.StoredKey, stored.ServerKey);
            Add(key, new OutageEntry(entry, stored.At, verifier) { PasswordAt = stored.PasswordAt ?? stored.At }).StoredAt = stored.At;
        }
    }

    /// <summary>What is hashed: a verifier moved to another place fits nothing there.</summary>
    private static string Bound(OutageKey key, string password) => $"{key.Directory}\n{key.Login}\n{key.Network}\n{password}";

    private string NameOf(string login, string password) =>
        _fingerprint.Of(FingerprintPurpose.Outage, "", login, password);

    private static string Key(OutageKey key) => $"{key.Directory}\n{key.Login}\n{key.Network}";

    private sealed class Known(OutageEntry entry)
    {
        public OutageEntry Entry { get; set; } = entry;

        /// <summary>Names the password of the verifier; null until this process has seen it.</summary>
        public string? Name { get; set; }

        public DateTimeOffset StoredAt { get; set; } = DateTimeOffset.MinValue;
    }
}

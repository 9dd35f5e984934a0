using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sallyport.Mail.Sasl;
using Sallyport.Server.State;
using Sallyport.Store;

namespace Sallyport.Server.Identity.AppPasswords;

/// <summary>
/// The app passwords: in memory to decide, in the store to last and for other nodes. Made and revoked in a commit of their own; when they
/// were last used is written behind, under a key of its own, so that nothing late brings back what was revoked.
/// </summary>
public sealed class AppPasswordRegistry : IRegistryHolder
{
    /// <summary>Of all logins together.</summary>
    public const int EntriesMax = 100_000;

    private const string UseSuffix = "\nused";

    /// <summary>An expired one is remembered so long, to say of a device why it is refused.</summary>
    private static readonly TimeSpan ExpiredKept = TimeSpan.FromDays(90);

    private static readonly TimeSpan UseNotedEvery = TimeSpan.FromMinutes(1);

    private readonly ReadOnlyMemory<byte> _key;
    private readonly RegistryFollower _registry;
    private readonly WriteBehindBuffer _buffer;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, AppPassword> _byDigest = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AppPassword> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AppPasswordUse> _uses = new(StringComparer.Ordinal);
    private ImmutableDictionary<string, ImmutableArray<AppPassword>> _byLogin = ImmutableDictionary<string, ImmutableArray<AppPassword>>.Empty;

    private AppPasswordRegistry(SiteState state) => (_key, _registry, _buffer) = (state.Keys.AppPasswords, state.Registry, state.Buffer);

    public RegistryKind Kind => RegistryKind.AppPassword;

    public IReadOnlyCollection<string> Keys
    {
        get
        {
            lock (_gate)
            {
                return [.. _byId.Values.SelectMany(one => _uses.ContainsKey(one.Id) ? [Key(one), Key(one) + UseSuffix] : (string[])[Key(one)])];
            }
        }
    }

    public static async ValueTask<AppPasswordRegistry> LoadAsync(SiteState state, CancellationToken cancel)
    {
        var passwords = new AppPasswordRegistry(state);
        await state.Registry.JoinAsync(passwords, cancel);
        return passwords;
    }

    /// <summary>By login and label.</summary>
    public IEnumerable<AppPassword> All => _byLogin.OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => Of(pair.Key));

    /// <param name="login">Prepared.</param>
    public ImmutableArray<AppPassword> Of(string login) =>
        _byLogin.TryGetValue(login, out var all) ? [.. all.OrderBy(one => one.Label, StringComparer.Ordinal).ThenBy(one => one.CreatedAt)] : [];

    public AppPassword? Find(string id)
    {
        lock (_gate)
        {
            return _byId.GetValueOrDefault(id);
        }
    }

    /// <summary>An id nobody has.</summary>
    public string NewId()
    {
        var id = AppPasswordText.DrawId();
        while (Find(id) is not null)
        {
            id = AppPasswordText.DrawId();
        }

        return id;
    }

    /// <param name="secret">From <see cref="AppPasswordText.Parse"/>.</param>
    public AppPassword? FindBySecret(string secret)
    {
        lock (_gate)
        {
            return _byDigest.GetValueOrDefault(Name(Digest(secret)));
        }
    }

    /// <summary>What goes along with a verifier in an exchange: expired ones too, so that the log can say it.</summary>
    public ImmutableArray<ScramKeys> KeysOf(string login, ScramVerifier with) =>
    [
        .. from password in Of(login)
           from one in password.Verifiers
           where one.Iterations == with.Iterations && one.Salt.Span.SequenceEqual(with.Salt.Span)
           select new ScramKeys(password.Id, one.StoredKey, one.ServerKey),
    ];

    public AppPasswordUse? LastUse(AppPassword password)
    {
        lock (_gate)
        {
            return _uses.GetValueOrDefault(password.Id);
        }
    }

    /// <summary>What is stored of a secret. It has 100 bits that nobody chose: one keyed digest is as good as a slow one (decision 0009).</summary>
    public byte[] Digest(string secret) => HMACSHA256.HashData(_key.Span, Encoding.ASCII.GetBytes(secret));

    /// <summary>Stored first, in force then.</summary>
    /// <returns>False when there are too many, of the login or in all.</returns>
    public async ValueTask<bool> AddAsync(AppPassword password, int perLogin, DateTimeOffset now, CancellationToken cancel)
    {
        if (!HasRoom(password.Login, perLogin, now))
        {
            return false;
        }

        var value = JsonSerializer.SerializeToUtf8Bytes(password.ToStored(), AppPasswordJson.Default.StoredAppPassword);
        return await _registry.WriteAsync(
            [new RegistryWrite(Kind, Key(password), value, password.ExpiresAt + ExpiredKept, Expected: 0)], cancel);
    }

    /// <param name="id">Null for all of the login.</param>
    /// <returns>Those that were revoked. Stored first, in force then.</returns>
    public async ValueTask<ImmutableArray<AppPassword>> RevokeAsync(string login, string? id, CancellationToken cancel)
    {
        ImmutableArray<AppPassword> revoked = [.. Of(login).Where(one => id is null || one.Id == id)];
        if (revoked.IsEmpty)
        {
            return [];
        }

        await _registry.WriteAsync([.. revoked.Select(one => new RegistryWrite(Kind, Key(one), null, null))], cancel);
        return revoked;
    }

    /// <summary>Somebody logged in with it.</summary>
    public void Used(AppPassword password, IPAddress from, DateTimeOffset now)
    {
        var use = new AppPasswordUse(now, from.ToString());
        lock (_gate)
        {
            if (!_byId.ContainsKey(password.Id)
                || (_uses.TryGetValue(password.Id, out var last) && last.From == use.From && now - last.At < UseNotedEvery))
            {
                return;
            }

            _uses[password.Id] = use;
            _buffer.Put(Kind, Key(password) + UseSuffix, JsonSerializer.SerializeToUtf8Bytes(use, AppPasswordJson.Default.AppPasswordUse),
                password.ExpiresAt + ExpiredKept);
        }
    }

    private bool HasRoom(string login, int perLogin, DateTimeOffset now)
    {
        lock (_gate)
        {
            return _byDigest.Count < EntriesMax && Of(login).Count(one => !one.HasExpired(now)) < perLogin;
        }
    }

    public void Apply(RegistryEntry entry)
    {
        lock (_gate)
        {
            switch (entry.Key.Split('\n'))
            {
                case [var login, var id]:
                    Remove(id, keepUse: entry.Value is not null);
                    if (entry.Value is { } value)
                    {
                        Put(AppPassword.Of(login, id, StoredJson.Read(value, AppPasswordJson.Default.StoredAppPassword)));
                    }

                    break;
                case [_, var id, "used"] when entry.Value is { } used && _byId.ContainsKey(id):
                    var use = StoredJson.Read(used, AppPasswordJson.Default.AppPasswordUse);
                    _uses[id] = _uses.TryGetValue(id, out var last) && last.At > use.At ? last : use;
                    break;
            }
        }
    }

    private void Put(AppPassword password)
    {
        _byDigest[Name(password.Digest)] = password;
        _byId[password.Id] = password;
        _byLogin = _byLogin.SetItem(password.Login, Of(password.Login).Add(password));
    }

    private void Remove(string id, bool keepUse)
    {
        if (!_byId.Remove(id, out var password))
        {
            return;
        }

        _byDigest.Remove(Name(password.Digest));
        var left = Of(password.Login).RemoveAll(one => one.Id == id);
        _byLogin = left.IsEmpty ? _byLogin.Remove(password.Login) : _byLogin.SetItem(password.Login, left);
        if (!keepUse && _uses.Remove(id))
        {
            _buffer.Remove(Kind, Key(password) + UseSuffix);
        }
    }

    private static string Name(ReadOnlyMemory<byte> digest) => Convert.ToHexString(digest.Span);

    private static string Key(AppPassword password) => $"{password.Login}\n{password.Id}";
}

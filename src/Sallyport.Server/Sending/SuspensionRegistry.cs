using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sallyport.Mail.Sasl;
using Sallyport.Server.State;
using Sallyport.Store;

namespace Sallyport.Server.Sending;

/// <summary>A login of any directory that may log in, and send nothing.</summary>
/// <param name="Until">Null for until it is resumed.</param>
/// <param name="Why">For its user, in the reply to MAIL; may be empty.</param>
public sealed record Suspension(string Login, DateTimeOffset Since, DateTimeOffset? Until, string Why);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Suspension))]
internal sealed partial class SuspensionJson : JsonSerializerContext;

/// <summary>Logins that may not send for now: in memory to be asked at every MAIL, in the store to last and for other nodes.</summary>
public sealed class SuspensionRegistry : IRegistryHolder
{
    /// <summary>Characters of a reason: it has to fit into a reply.</summary>
    public const int WhyLengthMax = 200;

    private readonly ConcurrentDictionary<string, Suspension> _suspended = new(StringComparer.Ordinal);
    private readonly RegistryFollower _registry;
    private readonly TimeProvider _time;

    private SuspensionRegistry(RegistryFollower registry, TimeProvider time) => (_registry, _time) = (registry, time);

    /// <summary>Those in force, by login.</summary>
    public IReadOnlyList<Suspension> All =>
        [.. _suspended.Values.Where(IsInForce).OrderBy(suspension => suspension.Login, StringComparer.Ordinal)];

    public RegistryKind Kind => RegistryKind.Suspension;

    public IReadOnlyCollection<string> Keys => [.. _suspended.Keys];

    public static async ValueTask<SuspensionRegistry> LoadAsync(SiteState state, TimeProvider time, CancellationToken cancel)
    {
        var suspensions = new SuspensionRegistry(state.Registry, time);
        await state.Registry.JoinAsync(suspensions, cancel);
        return suspensions;
    }

    /// <summary>Null when the login may send.</summary>
    public Suspension? Find(string login) =>
        !_suspended.IsEmpty && _suspended.TryGetValue(Key(login), out var suspension) && IsInForce(suspension) ? suspension : null;

    /// <summary>Suspends it, or suspends it anew. On stable storage when it returns.</summary>
    /// <param name="length">Null for until it is resumed.</param>
    public async ValueTask<Suspension> SuspendAsync(string login, TimeSpan? length, string why, CancellationToken cancel)
    {
        var now = _time.GetUtcNow();
        var suspension = new Suspension(Key(login), now, length is { } time ? now + time : null, why);
        var value = JsonSerializer.SerializeToUtf8Bytes(suspension, SuspensionJson.Default.Suspension);
        _suspended[suspension.Login] = suspension; // at once, whatever the disk says
        await _registry.WriteAsync([new RegistryWrite(Kind, suspension.Login, value, suspension.Until)], cancel);
        return suspension;
    }

    /// <summary>False when it was not suspended. On stable storage when it returns.</summary>
    public async ValueTask<bool> ResumeAsync(string login, CancellationToken cancel)
    {
        var was = Find(login) is not null;
        await _registry.WriteAsync([new RegistryWrite(Kind, Key(login), null, null)], cancel);
        return was;
    }

    public void Apply(RegistryEntry entry)
    {
        if (entry.Value is { } value)
        {
            _suspended[entry.Key] = StoredJson.Read(value, SuspensionJson.Default.Suspension);
        }
        else
        {
            _suspended.TryRemove(entry.Key, out _);
        }
    }

    /// <summary>Who is in it is still sure, and to let it send would be worse.</summary>
    public void PassOver(RegistryEntry damaged) => _suspended[damaged.Key] = new Suspension(damaged.Key, _time.GetUtcNow(), null, "");

    private bool IsInForce(Suspension suspension) => suspension.Until is null || suspension.Until > _time.GetUtcNow();

    private static string Key(string login) => Credentials.PrepareLogin(login) ?? login;
}

using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sallyport.Mail.Sasl;
using Sallyport.Server.State;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Sending;

/// <summary>A login of any directory that may log in, and send nothing.</summary>
/// <param name="Until">Null for until it is resumed.</param>
/// <param name="Why">For its user, in the reply to MAIL; may be empty.</param>
public sealed record Suspension(string Login, DateTimeOffset Since, DateTimeOffset? Until, string Why);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Suspension))]
internal sealed partial class SuspensionJson : JsonSerializerContext;

/// <summary>Logins that may not send for now: in memory to be asked at every MAIL, in the store to last.</summary>
public sealed class SuspensionRegistry
{
    /// <summary>Characters of a reason: it has to fit into a reply.</summary>
    public const int WhyLengthMax = 200;

    private readonly ConcurrentDictionary<string, Suspension> _suspended = new(StringComparer.Ordinal);
    private readonly IFacts _facts;
    private readonly TimeProvider _time;

    private SuspensionRegistry(IFacts facts, TimeProvider time) => (_facts, _time) = (facts, time);

    /// <summary>Those in force, by login.</summary>
    public IReadOnlyList<Suspension> All =>
        [.. _suspended.Values.Where(IsInForce).OrderBy(suspension => suspension.Login, StringComparer.Ordinal)];

    public static async ValueTask<SuspensionRegistry> LoadAsync(IFacts facts, IMailLog log, TimeProvider time, CancellationToken cancel)
    {
        var book = new SuspensionRegistry(facts, time);
        await StoredFacts.ReadAsync(facts, FactKind.Suspension, SuspensionJson.Default.Suspension, log,
            (fact, suspension) => book._suspended[fact.Key] = suspension, cancel,
            damaged => book._suspended[damaged.Key] = new Suspension(damaged.Key, time.GetUtcNow(), null, "")); // who is in it is still sure
        return book;
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
        await _facts.SaveAsync([new FactChange.Put(new Fact(FactKind.Suspension, suspension.Login, value, suspension.Until))], cancel);
        return suspension;
    }

    /// <summary>False when it was not suspended. On stable storage when it returns.</summary>
    public async ValueTask<bool> ResumeAsync(string login, CancellationToken cancel)
    {
        var was = Find(login) is not null;
        await _facts.SaveAsync([new FactChange.Remove(FactKind.Suspension, Key(login))], cancel);
        _suspended.TryRemove(Key(login), out _);
        return was;
    }

    private bool IsInForce(Suspension suspension) => suspension.Until is null || suspension.Until > _time.GetUtcNow();

    private static string Key(string login) => Credentials.PrepareLogin(login) ?? login;
}

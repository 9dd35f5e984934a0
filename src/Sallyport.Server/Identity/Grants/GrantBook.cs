using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sallyport.Mail.Policy;
using Sallyport.Server.State;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Identity.Grants;

/// <summary>A grant made by command, as it is stored. Names only grow.</summary>
public sealed record StoredGrant(string To, string As, DateTimeOffset CreatedAt);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StoredGrant))]
internal sealed partial class GrantJson : JsonSerializerContext;

/// <summary>The grants made by command: in memory to decide, in the store to last.</summary>
public sealed class GrantBook
{
    private readonly IFacts _facts;
    private readonly Lock _gate = new();

    private GrantBook(IFacts facts, ImmutableArray<StoredGrant> all)
    {
        _facts = facts;
        All = all;
    }

    public ImmutableArray<StoredGrant> All { get; private set; }

    public static async ValueTask<GrantBook> LoadAsync(IFacts facts, IMailLog log, CancellationToken cancel)
    {
        var stored = new List<StoredGrant>();
        await StoredFacts.ReadAsync(facts, FactKind.Grant, GrantJson.Default.StoredGrant, log, (_, grant) => stored.Add(grant), cancel);
        return new GrantBook(facts, [.. stored]);
    }

    public IEnumerable<GrantRule> Rules => All.Select(grant => new GrantRule(grant.To, grant.As, "command"));

    /// <summary>False when it is there already. Stored first, in force then.</summary>
    public async ValueTask<bool> AddAsync(StoredGrant grant, CancellationToken cancel)
    {
        if (All.Any(Same))
        {
            return false;
        }

        var value = JsonSerializer.SerializeToUtf8Bytes(grant, GrantJson.Default.StoredGrant);
        await _facts.SaveAsync([new FactChange.Put(new Fact(FactKind.Grant, Key(grant.To, grant.As), value, null))], cancel);
        lock (_gate)
        {
            All = All.Any(Same) ? All : All.Add(grant);
        }

        return true;

        bool Same(StoredGrant one) => one.To == grant.To && one.As == grant.As;
    }

    /// <summary>False when there is none.</summary>
    public async ValueTask<bool> RemoveAsync(string to, string granted, CancellationToken cancel)
    {
        if (!All.Any(Same))
        {
            return false;
        }

        await _facts.SaveAsync([new FactChange.Remove(FactKind.Grant, Key(to, granted))], cancel);
        lock (_gate)
        {
            All = All.RemoveAll(Same);
        }

        return true;

        bool Same(StoredGrant one) => one.To == to && one.As == granted;
    }

    private static string Key(string to, string granted) => $"{to}\n{granted}";
}

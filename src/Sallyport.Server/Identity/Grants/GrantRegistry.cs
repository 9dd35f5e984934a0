using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sallyport.Mail.Policy;
using Sallyport.Server.State;
using Sallyport.Store;

namespace Sallyport.Server.Identity.Grants;

/// <summary>A grant made by command, as it is stored. Names only grow.</summary>
public sealed record StoredGrant(string To, string As, DateTimeOffset CreatedAt);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StoredGrant))]
internal sealed partial class GrantJson : JsonSerializerContext;

/// <summary>The grants made by command: in memory to decide, in the store to last and for other nodes.</summary>
public sealed class GrantRegistry : IRegistryHolder
{
    private readonly RegistryFollower _registry;
    private ImmutableSortedDictionary<string, StoredGrant> _byKey = ImmutableSortedDictionary.Create<string, StoredGrant>(StringComparer.Ordinal);

    private GrantRegistry(RegistryFollower registry) => _registry = registry;

    /// <summary>In the order they were made.</summary>
    public ImmutableArray<StoredGrant> All => [.. _byKey.Values.OrderBy(grant => grant.CreatedAt)];

    public RegistryKind Kind => RegistryKind.Grant;

    public IReadOnlyCollection<string> Keys => [.. _byKey.Keys];

    public static async ValueTask<GrantRegistry> LoadAsync(SiteState state, CancellationToken cancel)
    {
        var grants = new GrantRegistry(state.Registry);
        await state.Registry.JoinAsync(grants, cancel);
        return grants;
    }

    public IEnumerable<GrantRule> Rules => All.Select(grant => new GrantRule(grant.To, grant.As, "command"));

    /// <summary>False when it is there already. Stored first, in force then.</summary>
    public async ValueTask<bool> AddAsync(StoredGrant grant, CancellationToken cancel)
    {
        var value = JsonSerializer.SerializeToUtf8Bytes(grant, GrantJson.Default.StoredGrant);
        return await _registry.WriteAsync([new RegistryWrite(Kind, Key(grant.To, grant.As), value, null, Expected: 0)], cancel);
    }

    /// <summary>False when there is none.</summary>
    public async ValueTask<bool> RemoveAsync(string to, string granted, CancellationToken cancel)
    {
        if (await _registry.FindAsync(Kind, Key(to, granted), cancel) is not { } found)
        {
            return false;
        }

        return await _registry.WriteAsync([new RegistryWrite(Kind, found.Key, null, null, found.Version)], cancel);
    }

    public void Apply(RegistryEntry entry)
    {
        var grant = entry.Value is { } value ? StoredJson.Read(value, GrantJson.Default.StoredGrant) : null;
        ImmutableInterlocked.Update(
            ref _byKey, grants => grant is null ? grants.Remove(entry.Key) : grants.SetItem(entry.Key, grant));
    }

    private static string Key(string to, string granted) => $"{to}\n{granted}";
}

using System.Text;
using Sallyport.Server.State;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Tests.Fakes;

/// <summary>The shared state of the one site that tests have.</summary>
internal static class StateSamples
{
    public static ISiteStore Site(this IStore store) => store.Site(ISiteStore.DefaultName);

    /// <summary>One more client of the store, as another node is.</summary>
    public static ValueTask<SiteState> StateAsync(this IStore store, IMailLog log, TimeProvider time) =>
        SiteState.OpenAsync(store.Site(), log, time, default);

    public static async Task PutAsync(this IStore store, RegistryKind kind, string key, string json, DateTimeOffset? expiresAt = null) =>
        await store.Site().Registry.WriteAsync([new RegistryWrite(kind, key, Encoding.UTF8.GetBytes(json), expiresAt)], default);

    public static ValueTask<IReadOnlyList<RegistryEntry>> EntriesAsync(this IStore store, RegistryKind kind) =>
        store.Site().Registry.ListAsync(kind, "", default);
}

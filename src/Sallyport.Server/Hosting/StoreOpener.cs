using Sallyport.Server.Configuration;
using Sallyport.Store;
using Sallyport.Store.Sqlite;

namespace Sallyport.Server.Hosting;

/// <summary>The store of a configuration.</summary>
internal static class StoreOpener
{
    /// <exception cref="StartException">In use, damaged or newer; the message says what to do.</exception>
    public static async Task<IStore> OpenAsync(ServerOptions options, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            return await SqliteStore.OpenAsync(
                new SqliteStoreOptions(options.Data, options.Store.DiskFloorBytes, options.Store.DiskFloorPercent), time, cancel);
        }
        catch (StoreException exception)
        {
            throw new StartException(exception.Message, exception) { InUse = exception.InUse };
        }
    }
}

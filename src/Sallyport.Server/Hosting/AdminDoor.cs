using Sallyport.Server.Admin.Handlers;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Admin.Transport;
using Sallyport.Server.Certificates;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Hosting;

/// <summary>Finds the door to a site: the running server's socket, or, when none runs, the store itself.</summary>
public static class AdminDoor
{
    private static readonly TimeSpan StartingMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    /// <exception cref="StartException">Neither a server answers nor the store opens.</exception>
    public static async Task<IAdmin> OpenAsync(ServerOptions options, TimeProvider time, CancellationToken cancel)
    {
        var socket = AdminSocketPath.In(options.Data);
        var begun = time.GetTimestamp();
        while (true)
        {
            if (await AdminSocket.AnswersAsync(socket, cancel))
            {
                return new RemoteAdmin(socket, time);
            }

            try
            {
                return await OpenStoreAsync(options, time, cancel);
            }
            catch (StartException exception) when (exception.InUse && time.GetElapsedTime(begun) < StartingMax)
            {
                // A server that just starts holds the store and does not answer yet.
                await Task.Delay(Between, time, cancel);
            }
        }
    }

    /// <summary>The running server, or a door with no store behind it: for what concerns a configuration alone.</summary>
    /// <param name="options">Null where the configuration has errors, and so names no server.</param>
    public static async Task<IAdmin> OpenWithoutStoreAsync(ServerOptions? options, TimeProvider time, CancellationToken cancel) =>
        options is not null && AdminSocketPath.In(options.Data) is var socket && await AdminSocket.AnswersAsync(socket, cancel)
            ? new RemoteAdmin(socket, time)
            : LocalAdmin.WithoutStore("not opened", time);

    /// <summary>As <see cref="OpenAsync"/>, and where the store cannot be opened a door that says so and checks the rest.</summary>
    public static async Task<IAdmin> OpenForChecksAsync(ServerOptions options, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            return await OpenAsync(options, time, cancel);
        }
        catch (StartException exception)
        {
            return LocalAdmin.WithoutStore(exception.Message, time);
        }
    }

    private static async Task<IAdmin> OpenStoreAsync(ServerOptions options, TimeProvider time, CancellationToken cancel)
    {
        var store = await StoreOpener.OpenAsync(options, time, cancel);
        try
        {
#pragma warning disable CA2000 // The door's, and disposed with it.
            var services = await SiteServices.OpenAsync(
                store, options, new SilentLog(), time, cancel, certificates: CertificateSet.Empty); // accounts are made before certificates are
#pragma warning restore CA2000
            return new LocalAdmin(services.ForAdmin(startedAt: null), services);
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }
}

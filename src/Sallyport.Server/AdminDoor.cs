using Sallyport.Server.Admin.Handlers;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Admin.Transport;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Routing;
using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server;

/// <summary>Finds the door to a site: the running server's socket, or, when none runs, the store itself.</summary>
public static class AdminDoor
{
    private static readonly TimeSpan StartingMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    /// <exception cref="StartException">Neither a server answers nor the store opens.</exception>
    public static async Task<IAdmin> OpenAsync(ServerOptions options, TimeProvider time, CancellationToken cancel)
    {
        var socket = AdminSocket.PathIn(options.Data);
        var begun = time.GetTimestamp();
        while (true)
        {
            if (await AdminSocket.AnswersAsync(socket, cancel))
            {
                return new RemoteAdmin(socket);
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

    private static async Task<IAdmin> OpenStoreAsync(ServerOptions options, TimeProvider time, CancellationToken cancel)
    {
        var store = await SallyportHost.OpenStoreAsync(options, time, cancel);
        var books = await IdentityBooks.LoadAsync(store, options, new SilentLog(), time, cancel);
#pragma warning disable CA2000 // It lives as long as the process of one command.
        var directories = new DirectorySet(
            new DirectoryServices(store, books.Hasher, books.Decoys, new SilentLog(), time));
        var identity = books.NewService(options, directories.Open(options.Directories));
#pragma warning restore CA2000
        var routes = new RouteTable(options.Routes);
        var sending = await UsageLedger.LoadAsync(store, books.Journal, time, cancel);
        var breaker = await Breaker.LoadAsync(store.Facts, sending, books.Journal, new SilentLog(), time, () => options.Breaker, cancel);
        return new LocalAdmin(new AdminServices(store, books, () => (options, routes, identity), time, null, static () => { }, static () => 0)
        {
            Breaker = breaker,
            LetGo = breaker.Resume,
            Sending = sending,
        });
    }
}

using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Admin.Handlers;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Hosting;
using Sallyport.Store.Memory;

namespace Sallyport.Tests.Fakes;

/// <summary>The door in one process, over a store in memory and a directory of people.</summary>
internal sealed class AdminBench : IAsyncDisposable
{
    /// <param name="running">As in a server's process, and not in that of one command.</param>
    public AdminBench(Func<ServerOptions, ServerOptions>? change = null, bool running = false)
    {
        var options = new ServerOptions { Hostname = "smtp.acme.test", Data = "/nowhere" };
        options = change is null ? options : change(options);
        var site = SiteServices.OpenAsync(new LentStore(Store), options, Log, Clock, default).GetAwaiter().GetResult();
        site.Site.Swap(site.NewSnapshot(options, null, [People]));
        Admin = new LocalAdmin(site.ForAdmin(running ? Clock.GetUtcNow() : null), site);
    }

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 24, 8, 15, 30, TimeSpan.Zero));

    public MemoryStore Store { get; } = new();

    public RecordingLog Log { get; } = new();

    public PeopleDirectory People { get; } =
        new PeopleDirectory("site").With("jane@acme.test", "own", ["jane@acme.test"], ["Staff"], "jane@acme.test", "jdoe@acme.test");

    public LocalAdmin Admin { get; }

    private static CancellationToken Cancel => Xunit.TestContext.Current.CancellationToken;

    public ValueTask<TAnswer> CallAsync<TRequest, TAnswer>(AdminOperation<TRequest, TAnswer> operation, TRequest request)
        where TRequest : class
        where TAnswer : class => Admin.CallAsync(operation, request, Cancel);

    public Task<TItem[]> ListAsync<TRequest, TItem>(AdminListing<TRequest, TItem> listing, TRequest request)
        where TRequest : class, IPagedRequest<TRequest>
        where TItem : class => Admin.ListAsync(listing, request, Cancel);

    public async ValueTask DisposeAsync()
    {
        await Admin.DisposeAsync();
        await Store.DisposeAsync();
    }
}

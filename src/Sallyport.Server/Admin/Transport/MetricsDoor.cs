using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Sallyport.Server.Admin.Transport;

/// <summary>
/// /metrics over HTTP, on a server of its own: whatever is asked of it, the admin API is not there.
/// </summary>
internal sealed class MetricsDoor(IPEndPoint address, Func<CancellationToken, ValueTask<string>> write, string contentType) : IAsyncDisposable
{
    private const int ConnectionsMax = 20;

    private readonly WebApplication _web = Build(address, write, contentType);

    /// <exception cref="IOException">The address cannot be had.</exception>
    public Task StartAsync(CancellationToken cancel) => _web.StartAsync(cancel);

    public ValueTask DisposeAsync() => _web.DisposeAsync();

    private static WebApplication Build(IPEndPoint address, Func<CancellationToken, ValueTask<string>> write, string contentType)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, StaysUp>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Listen(address);
        });
        var web = builder.Build();
        web.Run(async http =>
        {
            if (http.Request.Path != "/metrics" || !HttpMethods.IsGet(http.Request.Method))
            {
                http.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            http.Response.ContentType = contentType;
            await http.Response.WriteAsync(await write(http.RequestAborted), http.RequestAborted);
        });
        return web;
    }

    private sealed class StaysUp : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

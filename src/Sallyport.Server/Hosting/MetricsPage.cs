using System.Net;
using System.Net.Sockets;
using Sallyport.Server.Admin.Transport;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Hosting;

/// <summary>The numbers of a site at an address. Numbers that cannot be shown stop no mail.</summary>
internal sealed class MetricsPage : IAsyncDisposable
{
    private readonly SiteServices _services;
    private readonly MailMetrics _metrics;
    private readonly PrometheusText _text;
    private readonly MetricsDoor _door;

    private MetricsPage(SiteServices services, MailMetrics metrics, IPEndPoint address)
    {
        (_services, _metrics) = (services, metrics);
        _text = new PrometheusText(metrics.Meter);
        _door = new MetricsDoor(address, WriteAsync, PrometheusText.ContentType);
    }

    public static async Task<MetricsPage> OpenAsync(SiteServices services, MailMetrics metrics, IPEndPoint address, CancellationToken cancel)
    {
        var page = new MetricsPage(services, metrics, address);
        try
        {
            await page._door.StartAsync(cancel);
            services.Log.Write(new MailEvent.Notice($"metrics on http://{address}/metrics"
                + (IPAddress.IsLoopback(address.Address) ? "" : ", open to the network, without TLS and without a login")));
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            services.Log.Write(new MailEvent.Problem($"metrics.address {address} cannot be listened on: {exception.Message}"));
        }

        return page;
    }

    public async ValueTask DisposeAsync()
    {
        await _door.DisposeAsync();
        _text.Dispose();
    }

    private async ValueTask<string> WriteAsync(CancellationToken cancel)
    {
        _metrics.Observe(new MetricsNow(
            await _services.Store.Spool.TotalsAsync(cancel), _services.Gate.Open, _services.Abuse.Breaker.Trips.Count,
            _services.Books.Suspensions.All.Count, _services.Books.Guard.Bans().Count, _services.Time.GetUtcNow()));
        return _text.Write();
    }
}

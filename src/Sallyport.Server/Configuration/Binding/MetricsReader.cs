using System.Net;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>[metrics].</summary>
internal static class MetricsReader
{
    public static MetricsOptions Read(Section section)
    {
        var text = section.Text("address");
        section.Finish();
        if (text is null)
        {
            return new MetricsOptions();
        }

        if (!IPEndPoint.TryParse(text, out var address) || !text.Contains(':', StringComparison.Ordinal) || address.Port == 0)
        {
            section.Report("address", $"\"{text}\" is not an IP address and a port; for example \"127.0.0.1:9464\"");
            return new MetricsOptions();
        }

        if (!IPAddress.IsLoopback(address.Address))
        {
            section.Warn("address", $"{address} is open to the network, without TLS and without a login: let only your Prometheus reach it");
        }

        return new MetricsOptions(address);
    }
}

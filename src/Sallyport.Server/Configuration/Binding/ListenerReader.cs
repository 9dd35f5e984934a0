using System.Net;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>A [[listener]] entry.</summary>
internal static class ListenerReader
{
    private const int SmtpPort = 25;

    public static ListenerOptions? Read(Section section, bool hasClientCa)
    {
        var address = section.RequiredText("address", "0.0.0.0:587");
        var tls = section.Choice("tls", ("starttls", ListenerTls.StartTls), ("implicit", ListenerTls.Implicit), ("none", ListenerTls.None));
        if (!section.Has("tls"))
        {
            section.Report(section.Line, "tls", "is missing: \"implicit\" for port 465, \"starttls\" for port 587");
        }

        var certificates = ReadClientCertificates(section, tls, hasClientCa);
        section.Finish();
        if (address is null || tls is null)
        {
            return null;
        }

        if (!IPEndPoint.TryParse(address, out var endPoint) || !address.Contains(':', StringComparison.Ordinal) || endPoint.Port == 0)
        {
            section.Report("address", $"\"{address}\" is not an IP address and a port; for example \"0.0.0.0:587\" or \"[::]:587\"");
            return null;
        }

        if (endPoint.Port == SmtpPort)
        {
            section.Report("address", "Sallyport never listens on port 25: that port is for mail from strangers, and belongs to a mail "
                + "exchanger. Your own users submit on 587 (starttls) or 465 (implicit)");
            return null;
        }

        if (tls == ListenerTls.None && !IPAddress.IsLoopback(endPoint.Address))
        {
            section.Report("tls", "\"none\" is for loopback addresses only: passwords would cross the network in clear");
            return null;
        }

        return new ListenerOptions(endPoint, tls.Value) { ClientCertificates = certificates };
    }

    private static ClientCertificates ReadClientCertificates(Section section, ListenerTls? tls, bool hasClientCa)
    {
        var certificates = section.Choice("client_certificates", ("none", ClientCertificates.None), ("optional", ClientCertificates.Optional),
            ("required", ClientCertificates.Required));
        if (certificates is not (null or ClientCertificates.None) && (!hasClientCa || tls == ListenerTls.None))
        {
            section.Report("client_certificates", hasClientCa ? "are part of TLS, and this listener has none" : "need client_ca in [tls]");
        }

        return certificates ?? (hasClientCa && tls is not ListenerTls.None ? ClientCertificates.Optional : ClientCertificates.None);
    }
}

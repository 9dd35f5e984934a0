using Microsoft.AspNetCore.Connections;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Certificates;
using Sallyport.Server.Configuration;
using Sallyport.Server.Limits;
using Sallyport.Server.Submission;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Listening;

/// <summary>Takes connections of every listener through the gate and the handshake into their sessions, and ends them all.</summary>
public sealed class SubmissionListener(SubmissionServices services, ConnectionGate gate, CertificateStore certificates) : IDisposable
{
    private readonly CancellationTokenSource _drain = new();

    public async Task HandleAsync(ConnectionContext connection, ListenerOptions listener)
    {
        var site = services.Site.Current;
        var wire = new ConnectionWire(connection, certificates.Current, listener.ClientCertificates, services.Time);
        var session = SubmissionServices.NewSessionId();
        if ((site.Identity.Guard.RefusalAtConnect(wire.Client)
            ?? gate.TryEnter(wire.Client, site.Options.Limits)) is { } why)
        {
            await using (wire)
            {
                await RefuseAsync(connection, wire, listener, session, why);
                return;
            }
        }

        try
        {
            await using (wire)
            {
                services.Log.Write(new MailEvent.ConnectionOpened(session, wire.Client.ToString(), listener.Address.ToString()));
                await ServeAsync(wire, listener, session);
            }
        }
        finally
        {
            gate.Leave(wire.Client); // only now: who drains would cut off its goodbye
        }
    }

    /// <summary>Asks each session to end at its next command, and waits for them.</summary>
    /// <returns>How many were still open at the end of the time.</returns>
    public async Task<int> DrainAsync(TimeSpan within, TimeProvider time)
    {
        await _drain.CancelAsync();
        var end = time.GetTimestamp() + (long)(within.TotalSeconds * time.TimestampFrequency);
        while (gate.Open > 0 && time.GetTimestamp() < end)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), time);
        }

        return gate.Open;
    }

    public void Dispose() => _drain.Dispose();

    private async Task ServeAsync(ConnectionWire wire, ListenerOptions listener, string session)
    {
        TlsFacts? tls = null;
        if (listener.Tls == ListenerTls.Implicit)
        {
            tls = await HandshakeAsync(wire, session);
            if (tls is null)
            {
                wire.Abort();
                return;
            }
        }

        using var driver = new SubmissionDriver(wire, services, listener.Tls, session);
        await driver.RunAsync(tls, _drain.Token);
    }

    /// <summary>Null when there was no handshake.</summary>
    private async Task<TlsFacts?> HandshakeAsync(ConnectionWire wire, string session)
    {
        var client = wire.Client.ToString();
        var options = services.Site.Options;
        if (!services.Handshakes.TryBegin(options.Limits.Handshakes))
        {
            services.Log.Write(new MailEvent.ConnectionClosed(session, client, 0, "too many TLS handshakes are under way"));
            return null;
        }

        try
        {
            using var limit = new CancellationTokenSource(options.Timeouts.Handshake, services.Time);
            var tls = await wire.StartTlsAsync(limit.Token);
            services.LogTls(session, client, tls);
            return tls;
        }
        catch (Exception exception)
        {
            services.Log.Write(new MailEvent.TlsFailed(session, client, exception.InnerException?.Message ?? exception.Message));
            services.Log.Write(new MailEvent.ConnectionClosed(session, client, 0, "the TLS handshake failed"));
            return null;
        }
        finally
        {
            services.Handshakes.End();
        }
    }

    /// <summary>Says why where it can be said without a handshake.</summary>
    private async Task RefuseAsync(ConnectionContext connection, ConnectionWire wire, ListenerOptions listener, string session, string why)
    {
        services.Log.Write(new MailEvent.ConnectionRefused(session, wire.Client.ToString(), why));
        if (listener.Tls != ListenerTls.Implicit)
        {
            var busy = new Reply(421, new(4, 7, 0), "Too many connections, please try again later");
            await connection.Transport.Output.WriteAsync(busy.Octets.ToArray());
        }
    }
}

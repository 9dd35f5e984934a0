using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Listening;

/// <summary>Puts our listeners on Kestrel's sockets. TLS and SMTP are ours from the first octet.</summary>
public static class KestrelListeners
{
    public static void Listen(this KestrelServerOptions kestrel, ListenerOptions listener, SubmissionListener submission, IMailLog log) =>
        kestrel.Listen(listener.Address, options => options.Run(async connection =>
        {
            try
            {
                await submission.HandleAsync(connection, listener);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The client went away outside its conversation: while it was refused, or while we said goodbye.
            }
            catch (Exception exception)
            {
                log.Write(new MailEvent.Problem($"a session from {connection.RemoteEndPoint} ended by a fault of ours: {exception}"));
            }
        }));
}

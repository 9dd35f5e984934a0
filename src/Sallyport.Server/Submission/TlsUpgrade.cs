using Sallyport.Mail.Smtp;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Submission;

/// <summary>STARTTLS (RFC 3207): the handshake in the middle of a session.</summary>
internal sealed class TlsUpgrade(
    SessionScope scope, SubmissionSession session, LineReader lines, ReplyWriter replies, Deadline deadline, SessionLog log)
{
    public async ValueTask<SessionAction?> BeginAsync(SessionAction.BeginTls begin)
    {
        if (lines.MoreHasArrived())
        {
            return session.TlsInjected();
        }

        if (!scope.Services.Handshakes.TryBegin(scope.Site.Options.Limits.Handshakes))
        {
            return new SessionAction.Say(Replies.TlsBusy); // RFC 3207 §4
        }

        try
        {
            replies.Say(begin.Reply);
            await replies.FlushAsync();
            deadline.Disarm();
            await HandshakeAsync();
            return null;
        }
        finally
        {
            scope.Services.Handshakes.End();
        }
    }

    private async Task HandshakeAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(scope.Timeouts.Handshake, scope.Time);
            var facts = await scope.Wire.StartTlsAsync(limit.Token);
            scope.Services.LogTls(scope.Id, scope.Client, facts);
            session.TlsEstablished(facts);
        }
        catch (Exception exception)
        {
            log.Write(new MailEvent.TlsFailed(scope.Id, scope.Client, exception.InnerException?.Message ?? exception.Message));
            throw new WireLostException("the TLS handshake failed");
        }
    }
}

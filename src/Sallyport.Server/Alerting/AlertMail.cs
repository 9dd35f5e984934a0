using Sallyport.Server.Configuration;
using Sallyport.Server.Intake;
using Sallyport.Server.Reporting;
using Sallyport.Store;

namespace Sallyport.Server.Alerting;

/// <summary>An alert into our own spool, from where it leaves as a report does: from the null path, of no login, past every limit.</summary>
internal sealed class AlertMail(ISpool spool, Handoff handoff, QueueIds ids, ContentPipeline content, TimeProvider time)
{
    private static readonly TimeSpan CommitMax = TimeSpan.FromSeconds(30);

    /// <returns>Why it is not in the spool; empty when it is.</returns>
    public async Task<string> SendAsync(Alert alert, AlertOptions options)
    {
        try
        {
            var message = content.Pass(AlertComposer.Compose(new AlertWords(
                ids.Next(), time.GetUtcNow(), alert.Server, options.From ?? "postmaster@" + alert.Server, options.Mail, alert.Summary,
                AlertText.Of(alert))), ContentSource.Alert);
            await using var submission = spool.Begin(message.Id);
            await submission.WriteAsync(message.Body, default);
            var commit = submission.CommitAsync(message.Record, message.Header, claim: false, default).AsTask();
            switch (await commit.WaitAsync(CommitMax, time))
            {
                case CommitResult.Durable durable:
                    handoff.Committed(durable.Message, null);
                    return "";
                case CommitResult.StoreFailed failed:
                    return failed.Why;
                case CommitResult.NoRoom full:
                    return full.Why;
                default:
                    return "it was withdrawn";
            }
        }
        catch (Exception exception)
        {
            return exception.Message;
        }
    }
}

using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Admin.SendTest;

/// <summary>Logs in at the first listener as a user does, sends a message, and says what became of it.</summary>
/// <param name="door">Knows what becomes of the message.</param>
internal sealed class SendTestRun(ServerOptions options, IAdmin door, TimeProvider time)
{
    private static readonly TimeSpan WatchMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(200);

    public async IAsyncEnumerable<SendTestPart> RunAsync(SendTestRequest request, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (!MailboxParser.TryParse(request.From, out var from) || !MailboxParser.TryParse(request.To, out var to))
        {
            throw new AdminRefusedException(new(false, AdminCodes.InvalidAddress, "from and to must be mail addresses"));
        }

        yield return new("connecting", null);
        var (report, taken) = await SubmitAsync(request, from!, to!, cancel);
        if (report is null)
        {
            yield return new("submitted", null);
            report = await WatchAsync(taken!.Value.Reply, taken.Value.Id, cancel);
        }

        yield return new("ended", report);
    }

    private async Task<(SendTestReport? Ended, (Reply Reply, string Id)? Taken)> SubmitAsync(
        SendTestRequest request, Mailbox from, Mailbox to, CancellationToken cancel)
    {
        try
        {
            var (verdict, id) = await SendAsync(request.Login, request.Password, from, to, cancel);
            return verdict.Kind != VerdictKind.Relayed
                ? (new(false, "refused", verdict.Reply.ToString(), null, null, "The server did not take the message."), null)
                : id is null
                    ? (new(true, "unknown", verdict.Reply.ToString(), null, null, "Taken, without a queue ID to watch."), null)
                    : (null, (verdict.Reply, id));
        }
        catch (SubmissionException exception)
        {
            return (new(false, "refused", exception.Reply?.ToString() ?? "", null, null, exception.Message), null);
        }
    }

    private async Task<(RelayVerdict Verdict, string? Id)> SendAsync(
        string login, string password, Mailbox from, Mailbox to, CancellationToken cancel)
    {
        var listener = options.Listeners[0];
        var host = listener.Address.Address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : listener.Address.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : listener.Address.Address;
        await using var client = await SubmissionClient.OpenAsync(
            new IPEndPoint(host, listener.Address.Port), listener.Tls, options.Hostname, (login, password), time, cancel);
        var how = client.Tls.Length > 0 ? client.Tls : "no TLS";
        var content = Encoding.UTF8.GetBytes($"From: {from}\r\nTo: {to}\r\nSubject: Sallyport test message\r\n\r\n"
            + $"A test message of Sallyport, sent through {options.Hostname}, with {how}, login by {client.Mechanism}.\r\n");
        var mail = new RelayMail(new ReversePath(from), [new RelayRecipient(0, new ForwardPath(to), DsnNotify.Unspecified, null)],
            false, from.NeedsSmtpUtf8 || to.NeedsSmtpUtf8, null, null, content.Length);
        var verdict = await client.SendAsync(mail, content, cancel);
        return (verdict, verdict.Reply.Lines[0].Split(' ').FirstOrDefault(word => QueueId.TryParse(word, out _)));
    }

    /// <summary>Looks until the server has something to say about the recipient.</summary>
    private async Task<SendTestReport> WatchAsync(Reply taken, string id, CancellationToken cancel)
    {
        var begun = time.GetTimestamp();
        while (time.GetElapsedTime(begun) < WatchMax)
        {
            var gone = (await door.CallAsync(QueueOperations.Show, new QueuedName(id), cancel)).Message is null;
            if ((await door.CallAsync(QueueOperations.Outcome, new QueuedName(id), cancel)).FirstOrDefault() is { } outcome)
            {
                return new(true, outcome.State, taken.ToString(), id, outcome.NextHop, Say(outcome)) { NextAttemptAt = outcome.NextAttemptAt };
            }

            if (gone)
            {
                return new(true, "removed", taken.ToString(), id, null,
                    "It has left the queue, and the server remembers no outcome: the log knows more.");
            }

            await Task.Delay(Between, time, cancel);
        }

        return new(true, "unknown", taken.ToString(), id, null, "It is still on its way.");
    }

    private static string Say(OutcomeView outcome) => outcome.State switch
    {
        "relayed" => $"Relayed to {outcome.NextHop}: {outcome.Reply}",
        "failed" => $"Failed: {outcome.NextHop} will not take it, and the sender gets a report: {outcome.Reply}",
        "held" => $"Held: {outcome.Reply}",
        _ => $"Deferred; next attempt {(outcome.NextAttemptAt is { } at ? $"at {at.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z" : "soon")}: {outcome.Reply}",
    };
}

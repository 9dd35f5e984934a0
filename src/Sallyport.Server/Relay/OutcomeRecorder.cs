using System.Collections.Immutable;
using Sallyport.Mail.Relaying;
using Sallyport.Server.Configuration;
using Sallyport.Server.Reporting;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <summary>Makes what a transaction brought durable, the reports it causes in the same commit, and writes the log.</summary>
internal sealed class OutcomeRecorder(RelayServices services)
{
    private const int HeaderBytesMax = 64 * 1024;

    /// <param name="nextHop">For the log, and as the remote server in reports.</param>
    /// <param name="hopReports">The next hop does DSN itself.</param>
    /// <param name="notTried">Every host was known to be down.</param>
    public async Task RecordAsync(
        RelayJob job, ImmutableArray<RelayVerdict> verdicts, ServerOptions options, string nextHop, bool hopReports, bool notTried)
    {
        var now = services.Time.GetUtcNow();
        var message = job.Message;
        var settled = job.Recipients.Zip(verdicts, (recipient, verdict) => (Recipient: recipient, Verdict: verdict,
            Settled: Settlement.Settle(message, recipient, verdict, now, options.Relay, Random.Shared.NextDouble(), hopReports, notTried))).ToList();
        var reports = new List<NewMessage>();
        foreach (var group in settled.Where(x => x.Settled.Report is not null).GroupBy(x => x.Settled.Report!.Value))
        {
            var about = group.Select(x => About(x.Recipient, x.Verdict, x.Settled.Outcome, notTried ? "" : nextHop));
            reports.Add(await ComposeAsync(message, group.Key, [.. about], options, now));
        }

        await services.Spool.RecordAsync([.. settled.Select(x => x.Settled.Outcome)], reports, default);
        foreach (var (recipient, verdict, outcome) in settled)
        {
            Log(message, recipient, verdict, outcome.Outcome, nextHop, now);
        }

        foreach (var (report, kind) in reports.Zip(settled.Select(x => x.Settled.Report).OfType<ReportKind>().Distinct()))
        {
            services.Log.Write(new MailEvent.ReportKept(
                report.Id, message.Id, report.Record.Envelope.Recipients[0].Path.ToString(), kind.ToString().ToLowerInvariant()));
        }

        if (reports.Count > 0 || settled.Any(x => x.Settled.Outcome.State == RecipientState.Due))
        {
            services.Handoff.Wake();
        }
    }

    /// <summary>Our own words are not put into the mouth of the remote server, which may never have been asked.</summary>
    private static ReportedRecipient About(SpooledRecipient recipient, RelayVerdict verdict, RecipientOutcome outcome, string nextHop)
    {
        var remote = verdict.WholeHost || verdict.MaybeTwice || nextHop.LastIndexOf(':') is not (> 0 and var colon) ? "" : nextHop[..colon];
        var gaveUp = outcome.State == RecipientState.Failed && verdict.Kind == VerdictKind.Deferred;
        return new ReportedRecipient(recipient, outcome.Reply, remote, gaveUp ? Settlement.Shorten(verdict.Reply.ToString()) : null);
    }

    private void Log(
        SpooledMessage message, SpooledRecipient recipient, RelayVerdict verdict, RecipientOutcome outcome, string nextHop, DateTimeOffset now)
    {
        services.Log.Write(new MailEvent.RecipientSettled(message.Record.SessionId, message.Id, message.Record.Login,
            message.Record.Envelope.ReversePath.ToString(), recipient.Path.ToString(), outcome.State, nextHop, outcome.Reply,
            recipient.Attempts + (outcome.CountsAsAttempt ? 1 : 0), message.ContentBytes, now - message.Record.ReceivedAt,
            outcome.State == RecipientState.Due ? outcome.NextAttemptAt : null, verdict.MaybeTwice));
    }

    private async Task<NewMessage> ComposeAsync(
        SpooledMessage message, ReportKind kind, ImmutableArray<ReportedRecipient> recipients, ServerOptions options, DateTimeOffset now)
    {
        var whole = kind == ReportKind.Failed && message.Record.Envelope.Return != Mail.Smtp.DsnReturn.Headers
            && message.ContentBytes <= options.Relay.ReturnedBytes;
        var content = await ReadAsync(message, whole ? (int)message.ContentBytes : HeaderBytesMax);
        var headerEnd = content.AsSpan().IndexOf("\r\n\r\n"u8);
        var header = content.AsMemory(0, headerEnd < 0 ? 0 : headerEnd + 4);
        return ReportComposer.Compose(new ReportRequest(services.NewQueueId(), now, options.Hostname, message, kind, recipients, header,
            whole ? (ReadOnlyMemory<byte>?)content : null, message.Record.ReceivedAt + options.Relay.GiveUpAfter));
    }

    /// <summary>The first octets of the content, as many as asked for.</summary>
    private async Task<byte[]> ReadAsync(SpooledMessage message, int bytesMax)
    {
        if (message.Content is { } kept)
        {
            return kept[..Math.Min(bytesMax, kept.Length)].ToArray();
        }

        using var octets = new MemoryStream();
        await using var reader = await services.Spool.OpenContentAsync(message.Id, default);
        while (reader is not null && octets.Length < bytesMax && await reader.ReadAsync(default) is { IsEmpty: false } piece)
        {
            octets.Write(piece.Span);
        }

        return octets.ToArray()[..(int)Math.Min(bytesMax, octets.Length)];
    }
}

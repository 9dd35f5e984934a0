using System.Collections.Immutable;
using Sallyport.Mail.Relaying;
using Sallyport.Server.Configuration;
using Sallyport.Server.Outcomes;
using Sallyport.Server.Reporting;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <summary>
/// Makes what an attempt brought durable, the reports it causes in the same commit, and writes the log. Never throws: a next hop's 250
/// that is not recorded is a message sent twice, so it tries again until the store takes it or has failed for good.
/// </summary>
/// <param name="over">Cancelled when the relay has stopped: what is not recorded by then, the next start finds in progress.</param>
internal sealed class OutcomeRecorder(RelayServices services, CancellationToken over)
{
    private static readonly TimeSpan WaitFirst = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(1);

    private readonly Reporter _reporter = new(services);
    private readonly LogThrottle _throttle = new(services.Log, services.Time);

    private sealed record Entry(SpooledMessage Message, Attempt Attempt, Settled Settled);

    private sealed record Batch(ImmutableArray<RecipientOutcome> Outcomes, ImmutableArray<NewMessage> Reports);

    public async Task RecordAsync(SpooledMessage message, ImmutableArray<Attempt> attempts)
    {
        if (attempts.IsEmpty)
        {
            return;
        }

        var options = services.Site.Options;
        var entries = attempts.Select(attempt => Settle(message, attempt, options)).ToList();
        var kept = new List<(ReportKind Kind, NewMessage Report)>();
        foreach (var group in entries.Where(entry => entry.Settled.Report is not null).GroupBy(entry => entry.Settled.Report!.Value))
        {
            if (await _reporter.ComposeAsync(message, group.Key, [.. group.Select(About)], options) is { } report)
            {
                kept.Add((group.Key, report));
            }
        }

        if (await CommitAsync(entries, [.. kept.Select(one => one.Report)]))
        {
            entries.ForEach(entry => Publish(entry, tried: !IsOnlyWaiting(entry)));
            Log(entries);
            foreach (var (kind, report) in kept)
            {
                services.Log.Write(new MailEvent.ReportKept(
                    report.Id, message.Id, report.Record.Envelope.Recipients[0].Path.ToString(), kind.ToString().ToLowerInvariant()));
            }
        }

        if (kept.Count > 0 || entries.Exists(entry => entry.Settled.Outcome.State == RecipientState.Due))
        {
            services.Handoff.Wake();
        }
    }

    /// <summary>Messages that found no room at their destination: back into the spool in one commit, without a word for each.</summary>
    public async Task RequeueAsync(IReadOnlyList<(SpooledMessage Message, Attempt Attempt)> untried)
    {
        var options = services.Site.Options;
        var entries = untried.Select(one => Settle(one.Message, one.Attempt, options)).ToList();
        var quiet = entries.ToLookup(entry => entry.Settled is { Report: null, Outcome.State: RecipientState.Due });
        List<Entry> silent = [.. quiet[true]];
        if (await CommitAsync(silent, []))
        {
            silent.ForEach(entry => Publish(entry, tried: false));
        }

        foreach (var loud in quiet[false].GroupBy(entry => entry.Message))
        {
            await RecordAsync(loud.Key, [.. loud.Select(entry => entry.Attempt)]); // its time is up, or its sender is owed a word
        }

        services.Handoff.Wake();
    }

    private Entry Settle(SpooledMessage message, Attempt attempt, ServerOptions options) => new(message, attempt,
        Settlement.Settle(message, attempt.Recipient, attempt.Verdict, services.Time.GetUtcNow(), options.Relay, Random.Shared.NextDouble(),
            attempt.HopReports, attempt.UntriedUntil));

    /// <summary>Our own words are not put into the mouth of a remote server, which may never have been asked.</summary>
    private static Reported About(Entry entry)
    {
        var (attempt, settled) = (entry.Attempt, entry.Settled);
        var gaveUp = settled.IsLocal && !attempt.Verdict.IsLocal;
        var said = gaveUp ? RecipientOutcome.Shorten(attempt.Verdict.Reply.ToString()) : null;
        return new Reported(new ReportedRecipient(attempt.Recipient, settled.Outcome.Reply, attempt.RemoteMta, said), attempt.SizeMax);
    }

    /// <summary>False when it is not on stable storage and will not be.</summary>
    private async Task<bool> CommitAsync(List<Entry> entries, ImmutableArray<NewMessage> reports)
    {
        if (entries.Count == 0)
        {
            return true;
        }

        List<Batch> left = [new Batch([.. entries.Select(entry => entry.Settled.Outcome)], reports)];
        for (var wait = WaitFirst; left.Count > 0;)
        {
            try
            {
                LogLost((await services.Spool.RecordAsync(left[0].Outcomes, left[0].Reports, default)).Lost);
                left.RemoveAt(0);
                continue;
            }
            catch (Exception exception)
            {
                if (services.Spool.Failed.IsCompleted || over.IsCancellationRequested)
                {
                    services.Log.Write(new MailEvent.Problem(
                        $"{entries[0].Message.Id}: what became of it could not be recorded, it may be sent twice: {exception.Message}"));
                    return false;
                }

                _throttle.Write("record", $"{entries[0].Message.Id}: what became of it cannot be recorded, trying on: {exception.Message}");
            }

            left = reports.IsEmpty || left.Count > 1 || left[0].Reports.IsEmpty ? left : Apart(entries, reports);
            await WaitAsync(wait);
            wait = wait * 2 < WaitMax ? wait * 2 : WaitMax;
        }

        return true;
    }

    private void LogLost(IReadOnlyList<RecipientOutcome> lost)
    {
        foreach (var message in lost.GroupBy(outcome => outcome.Id))
        {
            services.Log.Write(new MailEvent.Problem(
                $"{message.Key}: what became of {message.Count()} of its recipients came too late: this node's lease had run out and another "
                + "had taken over; it may arrive twice"));
        }
    }

    /// <summary>With the disk nearly full, what needs no report may still find room: a 250 must not wait for another's bounce.</summary>
    private static List<Batch> Apart(List<Entry> entries, ImmutableArray<NewMessage> reports)
    {
        var parts = entries.ToLookup(entry => entry.Settled.Report is not null, entry => entry.Settled.Outcome);
        List<Batch> batches = [new([.. parts[false]], []), new([.. parts[true]], reports)];
        return batches.FindAll(batch => !batch.Outcomes.IsEmpty);
    }

    private async Task WaitAsync(TimeSpan wait)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(over);
        await Task.WhenAny(Task.Delay(wait, services.Time, ended.Token), services.Spool.Failed);
        await ended.CancelAsync();
    }

    private void Publish(Entry entry, bool tried)
    {
        var (message, attempt, settled) = entry;
        services.Outcomes.Publish(new MailOutcome.RecipientSettled(
            message.Id, message.Record.Login, attempt.Recipient.Path.ToString(), settled.Outcome.State, attempt.Hop, settled.Outcome.Reply,
            AttemptsOf(entry), settled.Outcome.State == RecipientState.Due ? settled.Outcome.NextAttemptAt : null,
            tried, services.Time.GetUtcNow())
        {
            Cause = attempt.Verdict.Failure,
        });
    }

    private static int AttemptsOf(Entry entry) => entry.Attempt.Recipient.Attempts + (entry.Settled.Outcome.CountsAsAttempt ? 1 : 0);

    /// <summary>Its next hop was not asked, and nothing else is new: still the same host down, or no room at its destination.</summary>
    private static bool IsOnlyWaiting(Entry entry) => entry.Settled.Outcome is { State: RecipientState.Due, CountsAsAttempt: false } outcome
        && entry.Attempt.UntriedUntil is not null && outcome.Reply == entry.Attempt.Recipient.LastReply;

    private void Log(List<Entry> entries)
    {
        foreach (var entry in entries)
        {
            var (message, attempt, settled) = entry;
            if (attempt.Verdict.Kind == VerdictKind.Damaged)
            {
                services.Log.Write(new MailEvent.Problem($"{message.Id} cannot be relayed as it is kept: {attempt.Verdict.Reply.Lines[0]}"));
            }

            var (recipient, outcome) = (attempt.Recipient, settled.Outcome);
            if (IsOnlyWaiting(entry))
            {
                continue; // still the same host down: said once
            }

            services.Log.Write(new MailEvent.RecipientSettled(message.Record.SessionId, message.Id, message.Record.Login,
                message.Record.Envelope.ReversePath.ToString(), recipient.Path.ToString(), outcome.State, attempt.Hop, outcome.Reply,
                AttemptsOf(entry), message.ContentBytes,
                services.Time.GetUtcNow() - message.Record.ReceivedAt,
                outcome.State == RecipientState.Due ? outcome.NextAttemptAt : null, attempt.Verdict.MaybeTwice)
            {
                Cause = attempt.Verdict.Failure,
            });
        }
    }
}

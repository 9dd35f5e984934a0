using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Intake;
using Sallyport.Server.Outcomes;
using Sallyport.Server.Routing;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <summary>What every part of the relay uses.</summary>
public sealed record RelayServices(
    ISpool Spool, Handoff Handoff, OutcomeFeed Outcomes, IMailLog Log, TimeProvider Time, QueueIds Ids, IOptionsInForce Site)
{
    /// <summary>The stages a report passes before its commit.</summary>
    public ContentPipeline Content { get; init; } = ContentPipeline.None;

    /// <summary>What turns routes into hosts.</summary>
    public IRoutePlanner Planner { get; init; } = new SmarthostPlanner(new SystemResolver(), Time);
}

/// <param name="EndJob">Called exactly once for each job that was taken.</param>
internal sealed record RelayContext(RelayServices Services, OutcomeRecorder Recorder, Action<RelayJob> EndJob)
{
    /// <summary>In one commit.</summary>
    private const int CalledBackAtOnce = 500;

    /// <summary>What is known of hosts, for all destinations.</summary>
    public HostRegistry Hosts { get; } = new(() => Services.Site.Options.Relay, Services.Time);

    /// <summary>What rests in the store until its destination works again.</summary>
    public ParkedMessages Parked { get; } = new(Services.Time);

    public IRoutePlanner Planner => Services.Planner;

    /// <summary>Those in force: a reload changes them under a destination that stays.</summary>
    public ServerOptions Options => Services.Site.Options;

    /// <summary>The content of a message: from memory where it is there, else from the spool.</summary>
    /// <exception cref="ContentException">While it is read: it is gone, or the store cannot read it.</exception>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(SpooledMessage message)
    {
        if (message.Content is { } content)
        {
            yield return content;
            yield break;
        }

        await using var reader = await OrContentExceptionAsync(() => Services.Spool.OpenContentAsync(message.Id, default))
            ?? throw new ContentException($"the content of {message.Id} is gone", new IOException("no such message"));
        while (await OrContentExceptionAsync(() => reader.ReadAsync(default)) is { IsEmpty: false } piece)
        {
            yield return piece;
        }
    }

    private static async ValueTask<T> OrContentExceptionAsync<T>(Func<ValueTask<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception exception)
        {
            throw new ContentException(exception.Message, exception);
        }
    }

    /// <summary>Due again at once, and no attempt: we stop, or the route has changed and another destination takes it.</summary>
    public Task ReleaseAsync(RelayJob job) => ReleaseAsync([job]);

    /// <summary>Parked messages are due now; one that cannot be called back comes by itself, later.</summary>
    public async Task CallBackAsync(IReadOnlyList<QueueId> ids)
    {
        try
        {
            foreach (var some in ids.Chunk(CalledBackAtOnce))
            {
                await Task.WhenAll(some.Select(id => Services.Spool.RetryNowAsync(id, Services.Time.GetUtcNow(), default).AsTask()));
                Services.Handoff.Wake();
            }
        }
        catch (Exception exception)
        {
            Services.Log.Write(new MailEvent.Problem($"messages that waited for their next server come later than they could: {exception.Message}"));
        }
    }

    /// <summary>All in one commit: a stop with thousands of jobs waiting is not to take a flush for each.</summary>
    public async Task ReleaseAsync(IReadOnlyList<RelayJob> jobs)
    {
        if (jobs.Count == 0)
        {
            return;
        }

        try
        {
            await Services.Spool.ReleaseClaimsAsync(
                [.. jobs.Select(job => new ClaimedRecipients(
                    job.Message.Id, job.Message.Claim, [.. job.Recipients.Select(recipient => recipient.Number)]))],
                default);
            Services.Handoff.Wake();
        }
        catch (Exception exception)
        {
            Services.Log.Write(new MailEvent.Problem(
                $"{string.Join(", ", jobs.Select(job => job.Message.Id))} could not be given back and waits for a restart: {exception.Message}"));
        }
    }
}

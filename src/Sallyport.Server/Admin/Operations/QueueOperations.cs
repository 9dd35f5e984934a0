namespace Sallyport.Server.Admin.Operations;

/// <summary>The queue.</summary>
public static class QueueOperations
{
    public static AdminListing<QueueQuery, QueuedView> List { get; } =
        new("queue/list", AdminJson.Default.QueueQuery, AdminJson.Default.QueuedViewArray) { Role = AdminRole.Reader };

    public static AdminOperation<QueuedName, FoundInQueue> Show { get; } =
        new("queue/show", AdminJson.Default.QueuedName, AdminJson.Default.FoundInQueue) { Role = AdminRole.Reader };

    /// <summary>What became of a message's recipients in the last minutes, also when it has left the queue.</summary>
    public static AdminOperation<QueuedName, OutcomeView[]> Outcome { get; } =
        new("queue/outcome", AdminJson.Default.QueuedName, AdminJson.Default.OutcomeViewArray) { Role = AdminRole.Reader };

    public static AdminOperation<QueuedName, AdminAnswer> Hold { get; } = Change("hold");

    public static AdminOperation<QueuedName, AdminAnswer> Release { get; } = Change("release");

    public static AdminOperation<QueuedName, AdminAnswer> Retry { get; } = Change("retry");

    public static AdminOperation<QueuedName, AdminAnswer> Remove { get; } = Change("remove");

    private static AdminOperation<QueuedName, AdminAnswer> Change(string name) =>
        new("queue/" + name, AdminJson.Default.QueuedName, AdminJson.Default.AdminAnswer) { Changes = true, About = name => name.QueueId };
}

/// <param name="State">due, progress or held.</param>
/// <param name="After">Queue id to go on after.</param>
/// <param name="Most">Items of a page, as limit is elsewhere.</param>
public sealed record QueueQuery(string? State, string? Login, string? Sender, string? Recipient, string? After, int Most) : IPagedRequest<QueueQuery>
{
    int? IPagedRequest<QueueQuery>.Limit => Most;

    public QueueQuery Following(string next) => this with { After = next };
}

public sealed record QueuedName(string QueueId);

/// <param name="Message">Null when the queue has it no more.</param>
public sealed record FoundInQueue(QueuedView? Message);

public sealed record QueuedView(
    string QueueId, DateTimeOffset ReceivedAt, string Login, string Client, string Session, string Sender, string MessageId, long Bytes,
    string? HoldReason, RecipientView[] Recipients);

public sealed record RecipientView(string Recipient, string State, int Attempts, DateTimeOffset? NextAttemptAt, string LastReply, string? NextHop);

/// <param name="State">relayed, deferred, failed or held.</param>
/// <param name="NextAttemptAt">Of one that is deferred.</param>
public sealed record OutcomeView(
    string Recipient, string State, string NextHop, string Reply, int Attempts, DateTimeOffset? NextAttemptAt, DateTimeOffset At)
{
    /// <summary>Why it was not relayed, "connection_refused"; null when it was.</summary>
    public string? Cause { get; init; }
}

namespace Sallyport.Server.Admin;

/// <summary>
/// The one door for whoever operates the server: the command line and later the web console. The running server serves it on its
/// admin socket; without one the command line opens the store itself and has the same door.
/// </summary>
public interface IAdmin : IAsyncDisposable
{
    ValueTask<ServerStatus> StatusAsync(CancellationToken cancel);

    ValueTask<UserView[]> ListUsersAsync(CancellationToken cancel);

    ValueTask<AdminAnswer> AddUserAsync(NewUser user, CancellationToken cancel);

    ValueTask<AdminAnswer> RemoveUserAsync(string login, CancellationToken cancel);

    ValueTask<AdminAnswer> SetPasswordAsync(string login, VerifierView verifier, CancellationToken cancel);

    ValueTask<AdminAnswer> SetDisabledAsync(string login, bool disabled, CancellationToken cancel);

    ValueTask<QueuedView[]> ListQueueAsync(QueueQuery query, CancellationToken cancel);

    ValueTask<QueuedView?> ShowQueuedAsync(string queueId, CancellationToken cancel);

    /// <param name="action">hold, release, retry or remove.</param>
    ValueTask<AdminAnswer> ChangeQueuedAsync(string queueId, string action, CancellationToken cancel);

    ValueTask<Explanation> ExplainAsync(ExplainQuery query, CancellationToken cancel);

    ValueTask<LoginTrial> TryLoginAsync(LoginQuery query, CancellationToken cancel);

    ValueTask<LoginTrial> TryTokenAsync(TokenQuery query, CancellationToken cancel);
}

/// <summary>What became of a change: done or not, and in words why.</summary>
public sealed record AdminAnswer(bool Done, string Message);

public sealed record ServerStatus(
    bool Running, string Version, DateTimeOffset? StartedAt, string Store, long Messages, long Recipients, long Due, long InProgress, long Held,
    long Bytes, DateTimeOffset? OldestReceivedAt, int Connections);

public sealed record UserView(string Login, string[] Addresses, bool Disabled, DateTimeOffset CreatedAt);

/// <summary>A SCRAM-SHA-256 verifier made where the password was typed: the password itself never crosses the admin socket.</summary>
public sealed record VerifierView(int Iterations, byte[] Salt, byte[] StoredKey, byte[] ServerKey)
{
    public override string ToString() => "VerifierView";
}

public sealed record NewUser(string Login, VerifierView Verifier, string[] Addresses);

/// <param name="State">due, progress or held.</param>
/// <param name="After">Queue id to go on after.</param>
public sealed record QueueQuery(string? State, string? Login, string? Sender, string? Recipient, string? After, int Most);

public sealed record QueuedView(
    string QueueId, DateTimeOffset ReceivedAt, string Login, string Client, string Session, string Sender, string MessageId, long Bytes,
    string? HoldReason, RecipientView[] Recipients);

public sealed record RecipientView(string Recipient, string State, int Attempts, DateTimeOffset? NextAttemptAt, string LastReply, string? NextHop);

public sealed record ExplainQuery(string Login, string From, string To);

/// <param name="Steps">Every rule asked, in the order the server asks them.</param>
public sealed record Explanation(bool Accepted, ExplainedStep[] Steps);

/// <param name="Outcome">ok or refused.</param>
public sealed record ExplainedStep(string Rule, string Outcome, string Because);

/// <summary>Carries a password to the admin socket, which only its owner may open; never shown.</summary>
public sealed record LoginQuery(string Login, string Password)
{
    public override string ToString() => $"LoginQuery for {Login}";
}

/// <summary>Carries an access token to the admin socket, which only its owner may open; never shown.</summary>
/// <param name="Login">Whom a client would say it is for; null when it says nothing.</param>
public sealed record TokenQuery(string? Login, string Token)
{
    public override string ToString() => $"TokenQuery for {Login}";
}

public sealed record LoginTrial(bool Accepted, ExplainedStep[] Steps);

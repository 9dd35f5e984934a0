namespace Sallyport.Server.Admin.Operations;

/// <summary>How the server is, and what it would do.</summary>
public static class StatusOperations
{
    public static AdminOperation<EmptyRequest, ServerStatus> Show { get; } =
        new("status", AdminJson.Default.EmptyRequest, AdminJson.Default.ServerStatus);

    public static AdminOperation<ExplainQuery, Explanation> Explain { get; } =
        new("explain", AdminJson.Default.ExplainQuery, AdminJson.Default.Explanation);

    public static AdminOperation<LoginQuery, LoginTrial> TryLogin { get; } =
        new("auth-test", AdminJson.Default.LoginQuery, AdminJson.Default.LoginTrial);

    /// <summary>Do the directories' servers answer?</summary>
    public static AdminOperation<EmptyRequest, DirectoryTrial> TryDirectories { get; } =
        new("directories/try", AdminJson.Default.EmptyRequest, AdminJson.Default.DirectoryTrial);

    public static AdminOperation<TokenQuery, LoginTrial> TryToken { get; } =
        new("auth-test/token", AdminJson.Default.TokenQuery, AdminJson.Default.LoginTrial);
}

/// <param name="ConnectionsMax">Most connections taken at once: limits.connections, or fewer where the system's file limit says so.</param>
public sealed record ServerStatus(
    bool Running, string Version, DateTimeOffset? StartedAt, string Store, long Messages, long Recipients, long Due, long InProgress, long Held,
    long Bytes, DateTimeOffset? OldestReceivedAt, int Connections, int ConnectionsMax)
{
    /// <summary>Several logins are known, and all came from this machine itself: its own applications, or a proxy that hides its clients.</summary>
    public bool OnlyLoopback { get; init; }
}

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

public sealed record DirectoryTrial(ExplainedStep[] Steps);

/// <summary>Carries an access token to the admin socket, which only its owner may open; never shown.</summary>
/// <param name="Login">Whom a client would say it is for; null when it says nothing.</param>
public sealed record TokenQuery(string? Login, string Token)
{
    public override string ToString() => $"TokenQuery for {Login}";
}

public sealed record LoginTrial(bool Accepted, ExplainedStep[] Steps);

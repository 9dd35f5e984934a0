namespace Sallyport.Server.Admin.Operations;

/// <summary>How the server is.</summary>
public static class StatusOperations
{
    public static AdminOperation<EmptyRequest, ServerStatus> Show { get; } =
        new("status", AdminJson.Default.EmptyRequest, AdminJson.Default.ServerStatus) { Role = AdminRole.Reader };
}

/// <param name="ConnectionsMax">Most connections taken at once: limits.connections, or fewer where the system's file limit says so.</param>
public sealed record ServerStatus(
    bool Running, string Version, DateTimeOffset? StartedAt, string Store, long Messages, long Recipients, long Due, long InProgress, long Held,
    long Bytes, DateTimeOffset? OldestReceivedAt, int Connections, int ConnectionsMax)
{
    /// <summary>Several logins are known, and all came from this machine itself: its own applications, or a proxy that hides its clients.</summary>
    public bool OnlyLoopback { get; init; }
}

namespace Sallyport.Server.Admin;

/// <summary>Logins of any directory: which of them may not send.</summary>
public static class LoginOperations
{
    public static AdminOperation<Everything, SuspensionView[]> List { get; } =
        new("logins/list", AdminJson.Default.Everything, AdminJson.Default.SuspensionViewArray);

    public static AdminOperation<NewSuspension, AdminAnswer> Suspend { get; } =
        new("logins/suspend", AdminJson.Default.NewSuspension, AdminJson.Default.AdminAnswer);

    public static AdminOperation<UserName, AdminAnswer> Resume { get; } =
        new("logins/resume", AdminJson.Default.UserName, AdminJson.Default.AdminAnswer);
}

/// <param name="Seconds">How long; null for until it is resumed.</param>
/// <param name="HoldQueue">Holds also what of it waits in the queue.</param>
public sealed record NewSuspension(string Login, string Why, long? Seconds, bool HoldQueue);

/// <param name="State">suspended.</param>
/// <param name="Until">Null for until it is resumed.</param>
public sealed record SuspensionView(string Login, string State, DateTimeOffset Since, DateTimeOffset? Until, string Why);

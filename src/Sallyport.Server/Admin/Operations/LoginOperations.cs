namespace Sallyport.Server.Admin.Operations;

/// <summary>Logins of any directory: which of them may not send.</summary>
public static class LoginOperations
{
    public static AdminListing<ListRequest, SuspensionView> List { get; } =
        new("logins/list", AdminJson.Default.ListRequest, AdminJson.Default.SuspensionViewArray) { Role = AdminRole.Reader };

    /// <summary>How a login stands with the breaker.</summary>
    public static AdminOperation<UserName, LoginView> Show { get; } =
        new("logins/show", AdminJson.Default.UserName, AdminJson.Default.LoginView) { Role = AdminRole.Reader };

    public static AdminOperation<NewSuspension, AdminAnswer> Suspend { get; } =
        new("logins/suspend", AdminJson.Default.NewSuspension, AdminJson.Default.AdminAnswer)
        {
            Changes = true,
            About = suspension => suspension.Login,
        };

    public static AdminOperation<UserName, AdminAnswer> Resume { get; } =
        new("logins/resume", AdminJson.Default.UserName, AdminJson.Default.AdminAnswer) { Changes = true, About = name => name.Login };
}

/// <param name="Seconds">How long; null for until it is resumed.</param>
/// <param name="HoldQueue">Holds also what of it waits in the queue.</param>
public sealed record NewSuspension(string Login, string Why, long? Seconds, bool HoldQueue);

/// <summary>What is usual for a login, what it does now, and how far it is from being stopped.</summary>
/// <param name="State">free, stopped, suspended, or exempt where the breaker leaves it alone.</param>
/// <param name="Days">Days with mail learned from.</param>
/// <param name="TrustedUntil">Until then what the administrator let go is usual.</param>
public sealed record LoginView(
    string Login, string State, string? Why, int Days, AmountView UsualHour, AmountView UsualDay, AmountView Hour, AmountView Day, int Networks,
    DateTimeOffset? TrustedUntil, SignView[] Signs, long HeldMessages);

public sealed record AmountView(long Messages, long Recipients, long FirstContacts);

/// <param name="Sign">As the key of [breaker].</param>
/// <param name="Usual">The most before.</param>
public sealed record SignView(string Sign, long Count, long Allowed, long Usual);

/// <param name="State">suspended, or stopped by the breaker.</param>
/// <param name="Until">Null for until it is resumed.</param>
public sealed record SuspensionView(string Login, string State, DateTimeOffset Since, DateTimeOffset? Until, string Why);

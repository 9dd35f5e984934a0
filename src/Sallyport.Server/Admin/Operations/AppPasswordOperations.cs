namespace Sallyport.Server.Admin.Operations;

/// <summary>One password per device.</summary>
public static class AppPasswordOperations
{
    public static AdminOperation<NewAppPassword, MadeAppPassword> Add { get; } =
        new("app-passwords/add", AdminJson.Default.NewAppPassword, AdminJson.Default.MadeAppPassword)
        {
            Role = AdminRole.User,
            Changes = true,
            About = wanted => wanted.Login,
        };

    public static AdminListing<AppPasswordQuery, AppPasswordView> List { get; } =
        new("app-passwords/list", AdminJson.Default.AppPasswordQuery, AdminJson.Default.AppPasswordViewArray)
        {
            Role = AdminRole.User,
            About = query => query.Login,
        };

    public static AdminOperation<AppPasswordChoice, AdminAnswer> Revoke { get; } =
        new("app-passwords/revoke", AdminJson.Default.AppPasswordChoice, AdminJson.Default.AdminAnswer)
        {
            Role = AdminRole.User,
            Changes = true,
            About = choice => choice.Login,
        };
}

/// <param name="Label">What the device is called.</param>
/// <param name="Seconds">How long it lasts; null for good.</param>
/// <param name="Networks">Where it may come from: addresses, or networks like 192.0.2.0/24; anywhere when empty.</param>
/// <param name="Senders">What of the login's it may send as: addresses and patterns; all of it when empty.</param>
public sealed record NewAppPassword(string Login, string Label, long? Seconds, string[] Networks, string[] Senders);

/// <summary>Carries the secret once, over the admin socket, which only its owner may open; never shown again.</summary>
/// <param name="Login">The login's canonical name.</param>
public sealed record MadeAppPassword(bool Done, string Code, string Message, string? Login, string? Id, string? Secret) : IAdminOutcome
{
    public override string ToString() => $"MadeAppPassword {Id} for {Login}";
}

/// <param name="Login">Null for all.</param>
public sealed record AppPasswordQuery(string? Login, int? Limit = null, string? After = null) : IPagedRequest<AppPasswordQuery>
{
    public AppPasswordQuery Following(string next) => this with { After = next };
}

/// <param name="LastUsedFrom">The address it was last used from.</param>
public sealed record AppPasswordView(
    string Login, string Id, string Label, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, bool Expired, string[] Networks, string[] Senders,
    DateTimeOffset? LastUsedAt, string? LastUsedFrom);

/// <param name="Id">Null for all of the login.</param>
public sealed record AppPasswordChoice(string Login, string? Id);

namespace Sallyport.Server.Admin.Operations;

/// <summary>Who may send as whom.</summary>
public static class GrantOperations
{
    public static AdminListing<ListRequest, GrantView> List { get; } =
        new("grants/list", AdminJson.Default.ListRequest, AdminJson.Default.GrantViewArray) { Role = AdminRole.Reader };

    public static AdminOperation<GrantPair, AdminAnswer> Add { get; } = Change("grants/add");

    public static AdminOperation<GrantPair, AdminAnswer> Remove { get; } = Change("grants/remove");

    public static AdminOperation<UserName, GrantsOfLogin> Of { get; } =
        new("grants/of", AdminJson.Default.UserName, AdminJson.Default.GrantsOfLogin) { Role = AdminRole.User, About = name => name.Login };

    public static AdminOperation<AddressName, WhoMaySend> WhoMaySendAs { get; } =
        new("grants/who-may-send-as", AdminJson.Default.AddressName, AdminJson.Default.WhoMaySend) { Role = AdminRole.Reader };

    private static AdminOperation<GrantPair, AdminAnswer> Change(string path) =>
        new(path, AdminJson.Default.GrantPair, AdminJson.Default.AdminAnswer) { Changes = true, About = pair => $"{pair.To} as {pair.As}" };
}

/// <param name="To">A login, "group:NAME" or "*".</param>
/// <param name="As">An address, a pattern or "login:LOGIN".</param>
public sealed record GrantPair(string To, string As);

/// <param name="Source">command, or the line of the configuration.</param>
public sealed record GrantView(string To, string As, string Source);

public sealed record AddressName(string Address);

public sealed record RightView(string Sender, string Source);

/// <param name="Problem">Why nothing can be said of the login; null otherwise.</param>
/// <param name="Mode">What happens to a sender that is not granted: refuse, rewrite or log.</param>
public sealed record GrantsOfLogin(string Login, string? Problem, string? Directory, string[] Groups, string? Mode, RightView[] Rights);

public sealed record MaySendView(string Login, string Source);

/// <param name="Problem">Why the address is none; null otherwise.</param>
public sealed record WhoMaySend(string Address, string? Problem, MaySendView[] Who);

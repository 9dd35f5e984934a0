namespace Sallyport.Server.Admin.Operations;

/// <summary>What the guard against password guessing holds against whom.</summary>
public static class GuardOperations
{
    public static AdminListing<ListRequest, BanView> List { get; } =
        new("bans/list", AdminJson.Default.ListRequest, AdminJson.Default.BanViewArray) { Role = AdminRole.Reader };

    public static AdminOperation<NewBan, AdminAnswer> Add { get; } =
        new("bans/add", AdminJson.Default.NewBan, AdminJson.Default.AdminAnswer) { Changes = true, About = ban => ban.Address };

    public static AdminOperation<AddressName, AdminAnswer> Remove { get; } =
        new("bans/remove", AdminJson.Default.AddressName, AdminJson.Default.AdminAnswer) { Changes = true, About = name => name.Address };

    public static AdminOperation<UserName, AdminAnswer> Reset { get; } =
        new("bans/reset", AdminJson.Default.UserName, AdminJson.Default.AdminAnswer) { Changes = true, About = name => name.Login };

    public static AdminListing<ListRequest, StaleView> Stale { get; } =
        new("clients/stale", AdminJson.Default.ListRequest, AdminJson.Default.StaleViewArray) { Role = AdminRole.Reader };
}

public sealed record BanView(string Network, DateTimeOffset Since, DateTimeOffset Until, string By, string Why);

/// <param name="Seconds">How long.</param>
public sealed record NewBan(string Address, long Seconds);

/// <param name="Times">How often the same wrong password was offered again.</param>
public sealed record StaleView(string Login, string Client, DateTimeOffset First, DateTimeOffset Last, int Times);

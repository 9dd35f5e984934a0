namespace Sallyport.Server.Configuration.Binding;

/// <summary>[guard].</summary>
internal static class GuardReader
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    public static GuardOptions Read(Section section)
    {
        var d = new GuardOptions();
        var options = new GuardOptions
        {
            Enabled = section.Flag("enabled", d.Enabled),
            Window = section.Time("window", d.Window, Second, Day),
            FailuresPerLoginAndNetwork = section.Number("failures_per_login_and_network", d.FailuresPerLoginAndNetwork, 1, 500),
            FailuresPerNetwork = section.Number("failures_per_network", d.FailuresPerNetwork, 1, 1000),
            DirectoryFailuresPerLogin = section.Number("directory_failures_per_login", d.DirectoryFailuresPerLogin, 2, 1000),
            BanFirst = section.Time("ban_first", d.BanFirst, Second, 365 * Day),
            BanMax = section.Time("ban_max", d.BanMax, Second, 365 * Day),
            FailureFloor = section.Time("failure_floor", d.FailureFloor, TimeSpan.Zero, TimeSpan.FromMinutes(1)),
            DelayMax = section.Time("delay_max", d.DelayMax, TimeSpan.Zero, TimeSpan.FromMinutes(1)),
            KnownNetworkFor = section.Time("known_network_for", d.KnownNetworkFor, Second, 3650 * Day),
            StaleRecheck = section.Time("stale_recheck", d.StaleRecheck, TimeSpan.Zero, Day),
            EntriesMax = section.Number("entries_max", d.EntriesMax, 1000, 10_000_000),
            NeverBan = section.Networks("never_ban"),
        };
        section.Finish();
        return options;
    }
}

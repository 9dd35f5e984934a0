namespace Sallyport.Server.Admin.Operations;

/// <summary>What is held, many messages at a time.</summary>
public static class HoldOperations
{
    public static AdminListing<HeldQuery, HeldView> List { get; } =
        new("hold/list", AdminJson.Default.HeldQuery, AdminJson.Default.HeldViewArray) { Role = AdminRole.Reader };

    /// <summary>Lets some of it go on; asked again while there is <see cref="HeldAnswer.More"/>.</summary>
    public static AdminOperation<HeldSelection, HeldAnswer> Release { get; } = Change("hold/release");

    /// <summary>Throws some of it away; asked again while there is <see cref="HeldAnswer.More"/>.</summary>
    public static AdminOperation<HeldSelection, HeldAnswer> Drop { get; } = Change("hold/drop");

    private static AdminOperation<HeldSelection, HeldAnswer> Change(string path) =>
        new(path, AdminJson.Default.HeldSelection, AdminJson.Default.HeldAnswer)
        {
            Changes = true,
            About = selection => selection.Login ?? (selection.All ? "all" : string.Join(' ', selection.QueueIds.Take(5))),
        };
}

/// <param name="Login">Null for all.</param>
public sealed record HeldQuery(string? Login, int? Limit = null, string? After = null) : IPagedRequest<HeldQuery>
{
    public HeldQuery Following(string next) => this with { After = next };
}

/// <summary>What is held of one login for one reason.</summary>
/// <param name="Login">Empty for reports of this server.</param>
/// <param name="Oldest">When the first of these messages came.</param>
public sealed record HeldView(
    string Login, string Reason, long Messages, long Recipients, DateTimeOffset Oldest, DateTimeOffset Newest, HeldSampleView[] Samples);

public sealed record HeldSampleView(string Sender, string Recipient);

/// <summary>Which held messages: of a login, those named, or all. One of the three.</summary>
/// <param name="Trust">This volume is normal for the login from now on.</param>
public sealed record HeldSelection(string? Login, string[] QueueIds, bool All, bool Trust);

/// <param name="Messages">Changed by this call.</param>
/// <param name="More">There may be more: ask again.</param>
/// <param name="Left">Messages still held when there is no more to ask for: with a recipient just being relayed.</param>
public sealed record HeldAnswer(bool Done, string Code, string Message, int Messages, int Recipients, bool More, long Left) : IAdminOutcome;

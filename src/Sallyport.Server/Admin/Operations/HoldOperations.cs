namespace Sallyport.Server.Admin.Operations;

/// <summary>What is held, many messages at a time.</summary>
public static class HoldOperations
{
    public static AdminOperation<HeldQuery, HeldView[]> List { get; } =
        new("hold/list", AdminJson.Default.HeldQuery, AdminJson.Default.HeldViewArray);

    /// <summary>Lets some of it go on; asked again while there is <see cref="HeldAnswer.More"/>.</summary>
    public static AdminOperation<HeldSelection, HeldAnswer> Release { get; } =
        new("hold/release", AdminJson.Default.HeldSelection, AdminJson.Default.HeldAnswer);

    /// <summary>Throws some of it away; asked again while there is <see cref="HeldAnswer.More"/>.</summary>
    public static AdminOperation<HeldSelection, HeldAnswer> Drop { get; } =
        new("hold/drop", AdminJson.Default.HeldSelection, AdminJson.Default.HeldAnswer);
}

/// <param name="Login">Null for all.</param>
public sealed record HeldQuery(string? Login);

/// <summary>What is held of one login for one reason.</summary>
/// <param name="Login">Empty for reports of this server.</param>
/// <param name="Oldest">When the first of these messages came.</param>
public sealed record HeldView(
    string Login, string Reason, long Messages, long Recipients, DateTimeOffset Oldest, DateTimeOffset Newest, HeldSampleView[] Samples);

public sealed record HeldSampleView(string Sender, string Recipient);

/// <summary>Which held messages: of a login, those named, or all. One of the three.</summary>
/// <param name="Trust">What the login does now is usual for it from now on.</param>
public sealed record HeldSelection(string? Login, string[] QueueIds, bool All, bool Trust);

/// <param name="Messages">Changed by this call.</param>
/// <param name="More">There may be more: ask again.</param>
/// <param name="Left">Messages still held when there is no more to ask for: with a recipient just being relayed.</param>
public sealed record HeldAnswer(bool Done, string Message, int Messages, int Recipients, bool More, long Left);

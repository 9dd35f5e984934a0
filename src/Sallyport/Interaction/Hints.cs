using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Telemetry;

namespace Sallyport.Interaction;

/// <summary>What can be typed next. The admin API says what happened, with a code; commands are this program's own.</summary>
internal static class Hints
{
    /// <param name="subject">The login or queue ID the command was about.</param>
    /// <returns>Null where there is nothing to add.</returns>
    public static string? Of(string code, string? subject)
    {
        var named = subject is null ? null : ShellWord.Of(subject);
        return code switch
        {
            AdminCodes.GrantUnknown => "`sallyport grants list` shows the grants and where they come from",
            AdminCodes.UserExists => $"`sallyport user passwd {named ?? "LOGIN"}` sets a password",
            AdminCodes.UserAddedWithoutAddress => $"`sallyport user address add {named ?? "LOGIN"} ADDRESS` gives it one",
            AdminCodes.AddressIsLogin => $"`sallyport user disable {named ?? "LOGIN"}` stops it",
            AdminCodes.InvalidPattern => "`sallyport grants add --to LOGIN --as PATTERN` makes one",
            AdminCodes.AppPasswordUnknown => $"`sallyport app-password list {named}` shows them",
            AdminCodes.AppPasswordsTooMany => $"`sallyport app-password revoke {named ?? "LOGIN"} ID` makes room",
            AdminCodes.SenderNotGranted => $"`sallyport grants of {named ?? "LOGIN"}` shows what it may send as",
            AdminCodes.LoginResumedMailHeld => $"`sallyport hold release {named ?? "LOGIN"}` or `sallyport hold drop {named ?? "LOGIN"}`",
            AdminCodes.MessageIsHeld => $"`sallyport queue release {named ?? "ID"}` releases it",
            AdminCodes.ImportWhichDirectory => "--directory names one",
            _ => null,
        };
    }

    /// <summary>The message, and what can be typed next behind it.</summary>
    public static string With(string message, string code, string? subject) => Of(code, subject) is { } hint ? $"{message}; {hint}" : message;

    /// <summary>Why it is not a valid address, with what can be typed instead; null when it is one.</summary>
    public static string? OfAddress(string address) => UserRules.AddressMistake(address) is { } mistake
        ? With(mistake, UserRules.IsPattern(address) ? AdminCodes.InvalidPattern : AdminCodes.InvalidAddress, null)
        : null;

    /// <summary>A finding of doctor's in words, and what can be typed next behind them.</summary>
    public static string Of(Finding finding) => finding.Detail + (finding.Code switch
    {
        "user.root" when finding.Facts.TryGetValue("owner", out var owner) => $": `sudo -u {ShellWord.Of(owner)} sallyport doctor` does",
        "accounts.none" => "; `sallyport user add LOGIN` adds one",
        "accounts.all_disabled" => "; `sallyport user enable LOGIN` enables one",
        _ => "",
    });

    /// <summary>What became of a test message, and what can be typed next behind it.</summary>
    public static string Of(SendTestReport report, string login) => report.Outcome + (report switch
    {
        { State: "held", QueueId: { } id } => $". `sallyport queue release {id}` releases it.",
        { State: "unknown", QueueId: { } id } => $" `sallyport queue show {id}` shows how far it is.",
        { State: "refused", Accepted: false, Reply.Length: > 0 } => $" `sallyport auth-test {ShellWord.Of(login)}` shows what the directories say.",
        _ => "",
    });

    /// <summary>Below the rules of an explanation.</summary>
    public static IEnumerable<string> Of(Explanation explanation, string login)
    {
        if (explanation.Steps.Any(step => step is { Rule: "suspension", Outcome: "refused" }))
        {
            yield return $"`sallyport login resume {ShellWord.Of(login)}` lets it send again.";
        }

        if (explanation.Steps.Any(step => step.Rule == "limits"))
        {
            yield return $"`sallyport limits show {ShellWord.Of(login)}` shows how much of each limit is used.";
        }
    }
}

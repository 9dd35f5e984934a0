using System.Text.RegularExpressions;
using Sallyport.Mail.Addressing;

namespace Sallyport.Server.Telemetry;

/// <summary>
/// What is typed as a login and known to no directory may be a password in the wrong field. It is shown in full only when it looks like
/// a login: an address, names joined by dots (jane.doe), or a name of a directory (Jane Doe/Acme).
/// </summary>
public static partial class LoginText
{
    private const int ShownOfOthers = 2;
    private const int TooShortToShow = 6;

    public static string OfUnknown(string typed) =>
        typed.Length == 0 || LooksLikeLogin(typed) ? typed
        : typed.Length < TooShortToShow ? $"… ({typed.Length} characters)"
        : $"{typed[..(char.IsHighSurrogate(typed[ShownOfOthers - 1]) ? ShownOfOthers + 1 : ShownOfOthers)]}… ({typed.Length} characters)";

    private static bool LooksLikeLogin(string typed) =>
        (MailboxParser.TryParse(typed, out var mailbox) && mailbox!.LocalPart[0] != '"' && Domain().IsMatch(mailbox.AsciiDomain))
        || Names().IsMatch(typed) || Distinguished().IsMatch(typed);

    [GeneratedRegex(@"^[a-z0-9.-]+\.(xn--[a-z0-9-]+|[a-z]{2,63})$")]
    private static partial Regex Domain();

    [GeneratedRegex("^[A-Za-z]+([._-][A-Za-z]+){1,3}$")]
    private static partial Regex Names();

    [GeneratedRegex("^([Cc][Nn]=)?[A-Za-z. ]+(/([A-Za-z]{1,2}=)?[A-Za-z. ]+)+$")]
    private static partial Regex Distinguished();
}

using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Text;

namespace Sallyport.Server.Admin.Operations;

/// <summary>What can be a login and an address of a local account; a slip of the pen is told from a strange name.</summary>
public static class UserRules
{
    public const int LoginCharactersMax = 256;

    /// <summary>Why it can be no login of a local account; null when it can.</summary>
    public static string? LoginMistake(string login)
    {
        if (Credentials.PrepareLogin(login) is not { Length: <= LoginCharactersMax } prepared)
        {
            return $"\"{DisplayText.Sanitize(login)}\" cannot be a login: it needs 1 to {LoginCharactersMax} printable characters";
        }

        if (prepared.IndexOfAny(['<', '>', '*']) >= 0)
        {
            return $"\"{DisplayText.Sanitize(login)}\" cannot be a login{Meant(prepared)}";
        }

        return prepared.Contains('@', StringComparison.Ordinal) && !MailboxParser.TryParse(prepared, out _)
            ? $"\"{DisplayText.Sanitize(login)}\" looks like a mail address but is not a valid one{Meant(prepared)}"
            : null;
    }

    /// <summary>As a grant may have it.</summary>
    public static bool IsPattern(string address) => address.StartsWith("*@", StringComparison.Ordinal);

    /// <summary>Why it can be no address; null when it can.</summary>
    public static string? AddressMistake(string address)
    {
        if (IsPattern(address))
        {
            return $"\"{DisplayText.Sanitize(address)}\" is a pattern, not an address; a grant lets a login send as all of a domain";
        }

        return MailboxParser.TryParse(address, out _) ? null : $"\"{DisplayText.Sanitize(address)}\" is not a mail address{Meant(address)}";
    }

    private static string Meant(string text)
    {
        var bare = text.Trim('<', '>', ' ', '"', ',', ';').Replace("mailto:", "", StringComparison.OrdinalIgnoreCase);
        return bare != text && MailboxParser.TryParse(bare, out _) ? $"; did you mean {DisplayText.Sanitize(bare)}?" : "";
    }
}

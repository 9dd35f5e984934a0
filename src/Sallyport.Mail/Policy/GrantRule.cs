using System.Collections.Immutable;
using Sallyport.Mail.Sasl;

namespace Sallyport.Mail.Policy;

/// <summary>
/// "To these, this too": one rule of [[grant]] or of `sallyport grants add`, as it was written.
/// </summary>
/// <param name="To">A login, "group:NAME", or "*" for all who log in.</param>
/// <param name="As">An address or pattern, or "login:LOGIN" for whatever that login may send as by its directory.</param>
/// <param name="Source">Who says so, for explanations.</param>
public sealed record GrantRule(string To, string As, string Source)
{
    private const string Group = "group:";
    private const string Login = "login:";

    /// <summary>The login whose addresses are granted; null for a rule that names addresses.</summary>
    public string? Delegator => As.StartsWith(Login, StringComparison.Ordinal) ? Credentials.PrepareLogin(As[Login.Length..]) : null;

    /// <summary>Null for a delegation.</summary>
    public SenderPattern? Pattern => SenderPattern.Parse(As);

    public bool IsFor(string login, ImmutableArray<string> groups) => To == "*"
        || (To.StartsWith(Group, StringComparison.Ordinal)
            ? groups.Contains(To[Group.Length..], StringComparer.OrdinalIgnoreCase)
            : Credentials.PrepareLogin(To) == Credentials.PrepareLogin(login));

    /// <summary>Null for an address, a pattern or "login:LOGIN"; else what is wrong.</summary>
    public static string? SenderMistake(string text) =>
        text.StartsWith(Login, StringComparison.Ordinal)
            ? Credentials.PrepareLogin(text[Login.Length..]) is null ? $"\"{text}\" names no login" : null
            : SenderPattern.Parse(text) is null
                ? $"\"{text}\" is no address; \"info@acme.test\", \"*@acme.test\", \"sales-*@acme.test\", \"*@*.acme.test\" "
                    + "and \"login:director\" are right"
                : null;

    /// <summary>Null for a login, "group:NAME" or "*".</summary>
    public static string? SubjectMistake(string to) =>
        to.StartsWith(Group, StringComparison.Ordinal)
            ? to.Length == Group.Length ? "\"group:\" names no group" : null
            : Credentials.PrepareLogin(to) is null ? $"\"{to}\" can be no login" : null;
}

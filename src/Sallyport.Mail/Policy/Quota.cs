using System.Collections.Immutable;
using Sallyport.Mail.Values;

namespace Sallyport.Mail.Policy;

/// <summary>At most <paramref name="Allowed"/> of a measure within any such window.</summary>
public readonly record struct QuotaLimit(SendingMeasure Measure, SendingWindow Window, long Allowed);

/// <summary>A [[quota]] entry: limits for whom it names.</summary>
/// <param name="For">Logins, "group:NAME" or "*".</param>
/// <param name="Shared">One count for all of them together; else each login has its own.</param>
/// <param name="Line">Of the configuration file, for explanations.</param>
public sealed record Quota(ValueList<string> For, bool Shared, ValueList<QuotaLimit> Limits, int Line)
{
    public bool IsFor(string login, ImmutableArray<string> groups) => For.Any(to => new GrantRule(to, "", "").IsFor(login, groups));

    /// <summary>Who is counted by it when this login sends.</summary>
    public string SubjectFor(string login) => Shared ? SendingSubject.OfShared(For) : SendingSubject.OfLogin(login);

    public override string ToString() => $"[[quota]] in line {Line} for {string.Join(", ", For)}";
}

/// <summary>Who is counted: names that are stored, and never change what they mean.</summary>
public static class SendingSubject
{
    public const string Site = "site";

    private const string Login = "login:";
    private const string Group = "group:";
    private const string Shared = "shared:";

    public static string OfLogin(string login) => Login + login;

    public static string OfGroup(string group) => Group + group.ToLowerInvariant();

    /// <summary>"site" for "*", the group for one group, else the list itself.</summary>
    public static string OfShared(ImmutableArray<string> to) =>
        to.Contains("*") ? Site
        : to.Length == 1 && to[0].StartsWith(Group, StringComparison.Ordinal) ? OfGroup(to[0][Group.Length..])
        : Shared + string.Join(',', to.Order(StringComparer.Ordinal));

    /// <summary>The login of a login's subject; null for others.</summary>
    public static string? LoginOf(string subject) => subject.StartsWith(Login, StringComparison.Ordinal) ? subject[Login.Length..] : null;

    /// <summary>As the beginning of a sentence.</summary>
    public static string Words(string subject) =>
        subject == Site ? "This site"
        : subject.StartsWith(Login, StringComparison.Ordinal) ? "Login " + subject[Login.Length..]
        : subject.StartsWith(Group, StringComparison.Ordinal) ? "Group " + subject[Group.Length..]
        : string.Join(" and ", subject[Shared.Length..].Split(',')) + " together";
}

/// <summary>A quota with whom it counts.</summary>
public sealed record AppliedQuota(string Subject, Quota Quota);

using System.Collections.Immutable;
using Sallyport.Mail.Policy;

namespace Sallyport.Server.Configuration;

/// <summary>[app_passwords]: one password a device.</summary>
public sealed record AppPasswordOptions
{
    /// <summary>Who logs in with nothing else: logins, "group:NAME", or "*" for all.</summary>
    public ImmutableArray<string> Required { get; init; } = [];

    /// <summary>App passwords one login may have, expired ones not counted.</summary>
    public int PerLogin { get; init; } = 20;

    /// <summary>Is the login's own password refused?</summary>
    public bool IsRequired(string login, ImmutableArray<string> groups) =>
        Required.Any(subject => new GrantRule(subject, "", "").IsFor(login, groups));
}

/// <summary>[app_passwords].</summary>
internal static class AppPasswordReader
{
    public static AppPasswordOptions Read(Section section)
    {
        var d = new AppPasswordOptions();
        var options = new AppPasswordOptions
        {
            Required = ReadRequired(section),
            PerLogin = section.Number("per_login", d.PerLogin, 1, 1000),
        };
        section.Finish();
        return options;
    }

    /// <summary>true, or whom.</summary>
    private static ImmutableArray<string> ReadRequired(Section section)
    {
        if (section.IsFlag("required"))
        {
            return section.Flag("required", false) ? ["*"] : [];
        }

        var who = ImmutableArray.CreateBuilder<string>();
        foreach (var (text, line) in section.Texts("required"))
        {
            if (GrantRule.SubjectMistake(text) is { } mistake)
            {
                section.Report(line, "required", mistake);
            }
            else
            {
                who.Add(text);
            }
        }

        return who.ToImmutable();
    }
}

using Sallyport.Mail.Policy;
using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration.Binding;

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
    private static ValueList<string> ReadRequired(Section section)
    {
        if (section.IsFlag("required"))
        {
            return section.Flag("required", false) ? ["*"] : [];
        }

        var who = new List<string>();
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

        return [.. who];
    }
}

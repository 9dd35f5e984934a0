using Sallyport.Mail.Policy;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>[[grant]] and [[sender]]: who may send as whom beyond what the directories say.</summary>
internal static class GrantReader
{
    public static GrantOptions ReadGrant(Section section)
    {
        var to = Required(section, "to", "\"anna@acme.test\"");
        var grant = new GrantOptions([.. to], [.. Required(section, "as", "\"info@acme.test\"")], section.Line);
        section.Finish();
        return grant;
    }

    public static SenderModeOptions ReadMode(Section section)
    {
        var subjects = Required(section, "for", "\"group:Devices\"");
        var mode = section.Choice("mode", ("refuse", SenderMode.Refuse), ("rewrite", SenderMode.Rewrite), ("log", SenderMode.Log));
        if (!section.Has("mode"))
        {
            section.Report(section.Line, "mode", "is missing: \"refuse\", \"rewrite\" or \"log\"");
        }

        section.Finish();
        return new SenderModeOptions([.. subjects], mode ?? SenderMode.Refuse);
    }

    public static List<string> Required(Section section, string key, string example)
    {
        if (!section.Has(key))
        {
            section.Report(section.Line, key, $"is missing; for example {key} = [{example}]");
        }

        var texts = new List<string>();
        foreach (var (text, line) in section.Texts(key))
        {
            if ((key == "as" ? GrantRule.SenderMistake(text) : GrantRule.SubjectMistake(text)) is { } mistake)
            {
                section.Report(line, key, mistake);
            }
            else
            {
                texts.Add(text);
            }
        }

        return texts;
    }
}

using Sallyport.Mail.Policy;
using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>[[quota]]: how much logins may send.</summary>
internal static class QuotaReader
{
    private const long CountMax = 1_000_000_000;
    private const long BytesMax = 1L << 50;
    private const int Unset = -1;

    private static readonly (string Key, SendingWindow Window)[] Windows =
        [("minute", SendingWindow.Minute), ("hour", SendingWindow.Hour), ("day", SendingWindow.Day)];

    private static readonly (string Key, SendingMeasure Measure)[] Measures =
    [
        ("messages", SendingMeasure.Messages), ("recipients", SendingMeasure.Recipients),
        ("first_time_recipients", SendingMeasure.FirstTimeRecipients), ("bytes", SendingMeasure.Bytes), ("connections", SendingMeasure.Connections),
    ];

    public static Quota Read(Section section)
    {
        var subjects = GrantReader.Required(section, "for", "\"*\"");
        var shared = section.Flag("shared", otherwise: false);
        var limits = Measures.SelectMany(measure => ReadLimits(section, measure.Key, measure.Measure)).ToList();
        if (limits.Count == 0 && !Measures.Any(measure => section.Has(measure.Key)))
        {
            section.Report(section.Line, "", "limits nothing; for example messages = { hour = 300, day = 2000 }");
        }

        section.Finish();
        return new Quota([.. subjects], shared, [.. limits], section.Line);
    }

    /// <summary>Entries that cannot mean what they say.</summary>
    /// <param name="doubt">Told the place of the entry, from 0, and what is doubtful.</param>
    public static void CheckWhole(ValueList<Quota> quotas, Action<int, string> doubt)
    {
        var all = quotas.ToList().FindIndex(quota => !quota.Shared && quota.For.Contains("*"));
        for (var i = all + 1; all >= 0 && i < quotas.Length; i++)
        {
            if (quotas[i].Shared)
            {
                continue;
            }

            doubt(i, $"is never asked: the one in {ProblemList.At(quotas[all].Line)} is for all (\"*\"), "
                + "and the first for a login decides; put it before");
        }

        for (var i = 0; i < quotas.Length; i++)
        {
            foreach (var (limit, longer) in quotas[i].Limits.Zip(quotas[i].Limits.Skip(1)).Where(pair => pair.First.Measure == pair.Second.Measure
                && pair.First.Window != SendingWindow.AtOnce && pair.First.Allowed > pair.Second.Allowed))
            {
                doubt(i, $"allows more {KeyOf(limit.Measure)} {QuotaPolicy.Per(limit.Window)} than {QuotaPolicy.Per(longer.Window)}");
            }
        }
    }

    private static IEnumerable<QuotaLimit> ReadLimits(Section section, string key, SendingMeasure measure)
    {
        if (section.Braces(key) is not { } table)
        {
            yield break;
        }

        if (measure == SendingMeasure.Connections && table.Number("at_once", Unset, 1, CountMax) is not Unset and var atOnce)
        {
            yield return new QuotaLimit(measure, SendingWindow.AtOnce, atOnce);
        }

        foreach (var (name, window) in Windows)
        {
            if (!table.Has(name))
            {
                continue;
            }

            var allowed = measure == SendingMeasure.Bytes ? table.Size(name, 0L, 0L, BytesMax) : table.Number(name, 0L, 0L, CountMax);
            yield return new QuotaLimit(measure, window, allowed);
        }

        table.Finish();
    }

    private static string KeyOf(SendingMeasure measure) => Measures.First(one => one.Measure == measure).Key;
}

using System.Net;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>[breaker] and [[breaker.for]].</summary>
internal static class BreakerReader
{
    private const long CountMax = 100_000_000;

    public static BreakerOptions Read(Section section, IEnumerable<Section> exceptions)
    {
        var d = new BreakerOptions();
        var options = new BreakerOptions
        {
            Enabled = section.Flag("enabled", d.Enabled),
            Limits = ReadLimits(section, d.Limits),
            TrustedNetworks = ReadTrusted(section, d.TrustedNetworks),
        };
        section.Finish();
        return options with { For = [.. exceptions.Select(entry => ReadException(entry, options.Limits))] };
    }

    /// <summary>"[]" is none.</summary>
    private static ValueList<IPNetwork> ReadTrusted(Section section, ValueList<IPNetwork> otherwise) =>
        !section.Has("trusted_networks") ? otherwise
        : section.IsEmptyList("trusted_networks") ? []
        : section.Networks("trusted_networks");

    private static BreakerException ReadException(Section section, BreakerLimits usual)
    {
        if (!section.Has("who"))
        {
            section.Report(section.Line, "who", "is missing; for example who = [\"newsletter@acme.test\", \"group:Marketing\"]");
        }

        var who = new List<string>();
        foreach (var (text, line) in section.Texts("who"))
        {
            if (GrantRule.SubjectMistake(text) is { } mistake)
            {
                section.Report(line, "who", mistake);
            }

            who.Add(text);
        }

        var enabled = section.Flag("enabled", true);
        var limits = ReadLimits(section, Raised(section, usual));
        section.Finish();
        return new BreakerException([.. who], enabled ? limits : null);
    }

    /// <summary>What is not named is as high as what is: who may write to 10,000 new people a day may write so many messages.</summary>
    private static BreakerLimits Raised(Section section, BreakerLimits usual)
    {
        string[] counts = ["first_contacts_per_hour", "first_contacts_per_day", "recipients_per_hour", "messages_per_hour"];
        var most = counts.Where(section.Has).Select(key => section.Number(key, 0L, 0, CountMax)).DefaultIfEmpty(0).Max();
        return usual with
        {
            FirstContactsPerHour = Math.Max(usual.FirstContactsPerHour, most),
            FirstContactsPerDay = Math.Max(usual.FirstContactsPerDay, most),
            RecipientsPerHour = Math.Max(usual.RecipientsPerHour, most),
            MessagesPerHour = Math.Max(usual.MessagesPerHour, most),
            LearnDays = most > 0 ? int.MaxValue : usual.LearnDays, // a raised limit is what it says, whatever was usual before
        };
    }

    private static BreakerLimits ReadLimits(Section section, BreakerLimits d) => new(
        section.Number("first_contacts_per_hour", d.FirstContactsPerHour, 1, CountMax),
        section.Number("first_contacts_per_day", d.FirstContactsPerDay, 1, CountMax),
        section.Number("recipients_per_hour", d.RecipientsPerHour, 1, CountMax),
        section.Number("messages_per_hour", d.MessagesPerHour, 1, CountMax),
        section.Number("bounces_min", d.BouncesMin, 1, CountMax),
        section.Factor("bounce_ratio", d.BounceRatio, 0.01, 1),
        section.Number("networks_per_hour", d.NetworksPerHour, 2, 1000),
        section.Factor("factor", d.Factor, 1, 100),
        section.Has("learn_days") ? section.Number("learn_days", 7, 1, 365) : d.LearnDays);
}

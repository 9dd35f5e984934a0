using System.Globalization;

namespace Sallyport.Mail.Policy;

/// <summary>What a login may do before its mail is held. Counts are of what passed, the message asked about included.</summary>
/// <param name="FirstContactsPerHour">Recipients it has never written to, outside its own domains.</param>
/// <param name="RecipientsPerHour">Of all kinds.</param>
/// <param name="BouncesMin">Fewer failed recipients within a day say nothing.</param>
/// <param name="BounceRatio">Share of the recipients settled within a day that may fail.</param>
/// <param name="NetworksPerHour">From so many networks within an hour on, it may do half as much of everything.</param>
/// <param name="Factor">So many times what it did at most before is no departure.</param>
/// <param name="LearnDays">Days with mail before what is usual for it counts.</param>
public sealed record BreakerLimits(
    long FirstContactsPerHour = 40,
    long FirstContactsPerDay = 50,
    long RecipientsPerHour = 500,
    long MessagesPerHour = 150,
    long BouncesMin = 15,
    double BounceRatio = 0.4,
    int NetworksPerHour = 6,
    double Factor = 4,
    int LearnDays = 7);

/// <summary>What was usual for a login on its past days: the most of an hour and of a day, slowly forgotten, and an hour's mean.</summary>
/// <param name="Days">Days with mail.</param>
public sealed record UsualSending(int Days, SendingAmount PeakHour, SendingAmount PeakDay, double MessagesMean, double RecipientsMean)
{
    public static UsualSending None { get; } = new(0, default, default, 0, 0);

    /// <summary>What is left of a peak a day later, in hundredths.</summary>
    private const int KeptPercent = 97;

    /// <summary>The weight of one day in a mean.</summary>
    private const double DayWeight = 0.1;

    /// <summary>A day is over.</summary>
    /// <param name="day">What was let go on it.</param>
    /// <param name="hour">The most of an hour of it.</param>
    /// <param name="hours">Hours of it with mail.</param>
    public UsualSending After(SendingAmount day, SendingAmount hour, int hours)
    {
        var weight = Days == 0 ? 1 : DayWeight;
        return new(Days + 1, Most(Faded(PeakHour), hour), Most(Faded(PeakDay), day),
            MessagesMean + (weight * (((double)day.Messages / Math.Max(1, hours)) - MessagesMean)),
            RecipientsMean + (weight * (((double)day.Recipients / Math.Max(1, hours)) - RecipientsMean)));
    }

    private static SendingAmount Faded(SendingAmount a) =>
        new(Faded(a.Messages), Faded(a.Recipients), Faded(a.FirstTimeRecipients), Faded(a.Bytes), Faded(a.Connections));

    private static long Faded(long peak) => peak * KeptPercent / 100;

    private static SendingAmount Most(SendingAmount a, SendingAmount b) => new(Math.Max(a.Messages, b.Messages),
        Math.Max(a.Recipients, b.Recipients), Math.Max(a.FirstTimeRecipients, b.FirstTimeRecipients), Math.Max(a.Bytes, b.Bytes),
        Math.Max(a.Connections, b.Connections));
}

/// <summary>What the breaker goes by.</summary>
/// <param name="Asked">The message asked about.</param>
/// <param name="Hour">Passed within the last hour, without it.</param>
/// <param name="Settled">Recipients relayed or failed within the last day.</param>
/// <param name="Networks">Distinct ones it sent from within the last hour.</param>
/// <param name="Trusted">What the administrator has said is usual for it, in an hour or a day; nothing when he has said nothing.</param>
public sealed record BreakerFacts(
    SendingAmount Asked, SendingAmount Hour, SendingAmount Day, long Settled, long Failed, int Networks, UsualSending Usual,
    SendingAmount Trusted);

/// <summary>One sign, how far it is, and how far it may go.</summary>
/// <param name="Name">For programs: first_contacts_per_hour and so on, as the limit is named.</param>
/// <param name="Words">What it counts: "first contacts within an hour".</param>
public sealed record BreakerSign(string Name, string Words, long Count, long Allowed, long Usual)
{
    public bool IsDeparture => Count > Allowed;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Count} {Words}, {Allowed} are let go");
}

/// <summary>Does a login depart from what is usual for it? Pure.</summary>
public static class BreakerPolicy
{
    /// <summary>A login with a history may be held to so small a part of what others may do, and let do so many times as much.</summary>
    private const int LeastPart = 2;

    private const int MostTimes = 4;

    /// <summary>The first sign of departure; null when there is none.</summary>
    public static BreakerSign? Evaluate(BreakerLimits limits, BreakerFacts facts) => Signs(limits, facts).FirstOrDefault(sign => sign.IsDeparture);

    /// <summary>Every sign, the message asked about counted in.</summary>
    public static IEnumerable<BreakerSign> Signs(BreakerLimits limits, BreakerFacts facts)
    {
        var (hour, day) = (facts.Hour + facts.Asked, facts.Day + facts.Asked);
        var (peak, trusted) = (facts.Usual.PeakHour, facts.Trusted);
        yield return new("first_contacts_per_hour", "first contacts within an hour", hour.FirstTimeRecipients, Allowed(limits, facts,
            limits.FirstContactsPerHour, peak.FirstTimeRecipients, mayRaise: false, trusted.FirstTimeRecipients), peak.FirstTimeRecipients);
        yield return new("first_contacts_per_day", "first contacts within a day", day.FirstTimeRecipients, Allowed(limits, facts,
            limits.FirstContactsPerDay, facts.Usual.PeakDay.FirstTimeRecipients, mayRaise: false, trusted.FirstTimeRecipients),
            facts.Usual.PeakDay.FirstTimeRecipients);
        yield return new("recipients_per_hour", "recipients within an hour", hour.Recipients, Allowed(limits, facts,
            limits.RecipientsPerHour, peak.Recipients, mayRaise: true, trusted.Recipients), peak.Recipients);
        yield return new("messages_per_hour", "messages within an hour", hour.Messages, Allowed(limits, facts,
            limits.MessagesPerHour, peak.Messages, mayRaise: true, trusted.Messages), peak.Messages);

        // At most one less than the least number that says something, or the share of all.
        var bounces = Math.Max(limits.BouncesMin - 1, (long)(limits.BounceRatio * facts.Settled));
        yield return new("bounces", $"of {facts.Settled} recipients failed within a day", facts.Failed, bounces, 0);
    }

    /// <param name="limit">For a login of which nothing is known.</param>
    /// <param name="peak">The most it did before.</param>
    /// <param name="mayRaise">False where no history lets it do more: an account that has been stolen for long must not have earned it.</param>
    private static long Allowed(BreakerLimits limits, BreakerFacts facts, long limit, long peak, bool mayRaise, long trusted)
    {
        var allowed = limit;
        if (facts.Usual.Days >= limits.LearnDays)
        {
            var most = mayRaise ? limit * MostTimes : limit;
            allowed = Math.Clamp((long)(peak * limits.Factor), (limit + 1) / LeastPart, most);
        }

        allowed = facts.Networks >= limits.NetworksPerHour ? (allowed + 1) / 2 : allowed;
        return Math.Max(allowed, trusted);
    }
}

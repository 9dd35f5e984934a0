using System.Globalization;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Text;

namespace Sallyport.Mail.Smtp;

/// <summary>How a limit that was reached refuses: which limit, and when more is free.</summary>
public static class LimitReplies
{
    /// <summary>At AUTH: the login is right, and may come again later (RFC 4954 §6: 454 asks for no other password).</summary>
    public static Reply ForLogin(LimitReached reached, DateTimeOffset now) => new(454, new(4, 7, 0), Words(reached, now));

    /// <summary>At MAIL and at the end of content.</summary>
    public static Reply ForMessage(LimitReached reached, DateTimeOffset now) => reached switch
    {
        { IsForGood: false } => new(451, new(4, 7, 1), Words(reached, now)),
        { Limit: { Measure: SendingMeasure.Bytes, Allowed: > 0 } } => new(552, new(5, 3, 4), Words(reached, now)),
        _ => new(550, new(5, 7, 1), Words(reached, now)),
    };

    /// <summary>
    /// At RCPT. Not 452 4.5.3: that says that one message has too many, and the client sends the rest at once in another, which would be
    /// refused as well. 450 lets it keep the recipient for later.
    /// </summary>
    public static Reply ForRecipient(LimitReached reached, DateTimeOffset now) =>
        reached.IsForGood ? new(550, new(5, 7, 1), Words(reached, now)) : new(450, new(4, 7, 1), Words(reached, now));

    /// <summary>"Login jane may write to 200 recipients an hour; the next is free at 14:05 UTC".</summary>
    public static string Words(LimitReached reached, DateTimeOffset now)
    {
        var who = DisplayText.Sanitize(SendingSubject.Words(reached.Subject));
        var (limit, asked) = (reached.Limit, reached.Asked);
        var may = limit.Measure switch
        {
            SendingMeasure.Messages => $"may send {Count(limit.Allowed, "message")} {QuotaPolicy.Per(limit.Window)}",
            SendingMeasure.Recipients => $"may write to {Count(limit.Allowed, "recipient")} {QuotaPolicy.Per(limit.Window)}",
            SendingMeasure.FirstTimeRecipients =>
                $"may write to {Count(limit.Allowed, "recipient")} for the first time {QuotaPolicy.Per(limit.Window)}",
            SendingMeasure.Bytes => $"may send {QuotaPolicy.Size(limit.Allowed)} {QuotaPolicy.Per(limit.Window)}",
            _ when limit.Window == SendingWindow.AtOnce => $"may have {Count(limit.Allowed, "connection")} at once",
            _ => $"may log in {(limit.Allowed == 1 ? "once" : Invariant(limit.Allowed) + " times")} {QuotaPolicy.Per(limit.Window)}",
        };
        return $"{who} {may}; {Then(reached, asked, now)}";
    }

    private static string Then(LimitReached reached, long asked, DateTimeOffset now)
    {
        if (reached.IsForGood)
        {
            return reached.Limit.Allowed == 0 ? "ask your administrator" : $"this message has {QuotaPolicy.Size(asked)}";
        }

        var what = reached.Limit.Measure == SendingMeasure.Bytes ? QuotaPolicy.Size(asked) + " are" : "the next is";
        return reached.FreeAt is { } at ? $"{what} free at {QuotaPolicy.At(at, now)}" : $"{what} free when one of those under way ends";
    }

    private static string Count(long n, string thing) => Invariant(n) + " " + thing + (n == 1 ? "" : "s");

    private static string Invariant(long n) => n.ToString(CultureInfo.InvariantCulture);
}

using System.Collections.Immutable;
using System.Globalization;
using Sallyport.Mail.Smtp;

namespace Sallyport.Mail.Policy;

/// <summary>A limit that stands in the way.</summary>
/// <param name="Used">Within the window, what is under way included.</param>
/// <param name="Asked">How much more was asked for.</param>
/// <param name="FreeAt">When as much is free again, if nothing more is sent; null when only the end of what is under way frees it.</param>
public sealed record LimitReached(string Subject, QuotaLimit Limit, long Used, long Asked, DateTimeOffset? FreeAt)
{
    /// <summary>True when waiting does not help: more is asked for than is ever allowed.</summary>
    public bool IsForGood => Asked > Limit.Allowed;
}

/// <summary>Which limits apply to a login, and in which words they refuse.</summary>
public static class QuotaPolicy
{
    /// <summary>Of those for each login the first that is for this one; of the shared ones all.</summary>
    public static ImmutableArray<AppliedQuota> Applying(ImmutableArray<Quota> quotas, string login, ImmutableArray<string> groups)
    {
        var applying = ImmutableArray.CreateBuilder<AppliedQuota>();
        var hasOwn = false;
        foreach (var quota in quotas)
        {
            if ((quota.Shared || !hasOwn) && quota.IsFor(login, groups))
            {
                hasOwn |= !quota.Shared;
                applying.Add(new(quota.SubjectFor(login), quota));
            }
        }

        return applying.ToImmutable();
    }

    /// <summary>The domains of the addresses and domain patterns granted: mail within the house goes to nobody new.</summary>
    public static ImmutableArray<string> OwnDomains(Grant grant) =>
    [
        .. grant.Addresses.Select(address => address[(address.LastIndexOf('@') + 1)..])
            .Concat(grant.Patterns.Select(pattern => pattern.Domain).Where(domain => !domain.StartsWith('*'))).Distinct(StringComparer.Ordinal),
    ];

    /// <summary>At AUTH: the login is right, and may come again later (RFC 4954 §6: 454 asks for no other password).</summary>
    public static Reply RefuseLogin(LimitReached reached, DateTimeOffset now) => new(454, new(4, 7, 0), Words(reached, now));

    /// <summary>At MAIL and at the end of content.</summary>
    public static Reply RefuseMessage(LimitReached reached, DateTimeOffset now) => reached switch
    {
        { IsForGood: false } => new(451, new(4, 7, 1), Words(reached, now)),
        { Limit: { Measure: SendingMeasure.Bytes, Allowed: > 0 } } => new(552, new(5, 3, 4), Words(reached, now)),
        _ => new(550, new(5, 7, 1), Words(reached, now)),
    };

    /// <summary>
    /// At RCPT. Not 452 4.5.3: that says that one message has too many, and the client sends the rest at once in another, which would be
    /// refused as well. 450 lets it keep the recipient for later.
    /// </summary>
    public static Reply RefuseRecipient(LimitReached reached, DateTimeOffset now) =>
        reached.IsForGood ? new(550, new(5, 7, 1), Words(reached, now)) : new(450, new(4, 7, 1), Words(reached, now));

    /// <summary>"Login jane may write to 200 recipients an hour; the next is free at 14:05 UTC".</summary>
    public static string Words(LimitReached reached, DateTimeOffset now)
    {
        var who = Replies.Printable(SendingSubject.Words(reached.Subject));
        var (limit, asked) = (reached.Limit, reached.Asked);
        var may = limit.Measure switch
        {
            SendingMeasure.Messages => $"may send {Count(limit.Allowed, "message")} {Per(limit.Window)}",
            SendingMeasure.Recipients => $"may write to {Count(limit.Allowed, "recipient")} {Per(limit.Window)}",
            SendingMeasure.FirstTimeRecipients => $"may write to {Count(limit.Allowed, "recipient")} for the first time {Per(limit.Window)}",
            SendingMeasure.Bytes => $"may send {Size(limit.Allowed)} {Per(limit.Window)}",
            _ when limit.Window == SendingWindow.AtOnce => $"may have {Count(limit.Allowed, "connection")} at once",
            _ => $"may log in {(limit.Allowed == 1 ? "once" : Invariant(limit.Allowed) + " times")} {Per(limit.Window)}",
        };
        return $"{who} {may}; {Then(reached, asked, now)}";
    }

    public static string Per(SendingWindow window) => window switch
    {
        SendingWindow.Minute => "a minute",
        SendingWindow.Hour => "an hour",
        SendingWindow.Day => "a day",
        _ => "at once",
    };

    /// <summary>A time to come, never before it is true: rounded up to minutes where it is not near.</summary>
    public static string At(DateTimeOffset at, DateTimeOffset now)
    {
        var (time, near) = (at.UtcDateTime, at - now < TimeSpan.FromMinutes(2));
        var shown = near || time.Second == 0 ? time : time.AddSeconds(60 - time.Second);
        var format = (shown.Date == now.UtcDateTime.Date ? "" : "yyyy-MM-dd ") + (near ? "HH:mm:ss" : "HH:mm") + " 'UTC'";
        return shown.ToString(format, CultureInfo.InvariantCulture);
    }

    public static string Size(long bytes)
    {
        string[] units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
        var unit = 0;
        double size = bytes;
        for (; size >= 1024 && unit < units.Length - 1; unit++)
        {
            size /= 1024;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{size:0.##} {units[unit]}");
    }

    private static string Then(LimitReached reached, long asked, DateTimeOffset now)
    {
        if (reached.IsForGood)
        {
            return reached.Limit.Allowed == 0 ? "ask your administrator" : $"this message has {Size(asked)}";
        }

        var what = reached.Limit.Measure == SendingMeasure.Bytes ? Size(asked) + " are" : "the next is";
        return reached.FreeAt is { } at ? $"{what} free at {At(at, now)}" : $"{what} free when one of those under way ends";
    }

    private static string Count(long n, string thing) => Invariant(n) + " " + thing + (n == 1 ? "" : "s");

    private static string Invariant(long n) => n.ToString(CultureInfo.InvariantCulture);
}

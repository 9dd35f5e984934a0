using System.Collections.Immutable;
using System.Globalization;

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

/// <summary>Which limits apply to a login, and how amounts and times are told.</summary>
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
}

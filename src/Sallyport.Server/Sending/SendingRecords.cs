using System.Collections.Immutable;
using Sallyport.Mail.Policy;

namespace Sallyport.Server.Sending;

/// <summary>A login as its limits see it: resolved anew when the configuration or what the directory says of it changes.</summary>
/// <param name="OwnDomains">Recipients there are never new.</param>
public sealed record SendingLogin(
    string Login, ImmutableArray<string> Groups, ImmutableArray<string> OwnDomains, ImmutableArray<AppliedQuota> Quotas)
{
    public static SendingLogin Of(Grant grant, ImmutableArray<Quota> quotas) => new(
        grant.Login, grant.Groups, QuotaPolicy.OwnDomains(grant), QuotaPolicy.Applying(quotas, grant.Login, grant.Groups));
}

/// <summary>What a subject has used of one limit, or without a limit.</summary>
/// <param name="Allowed">Null where nothing limits it.</param>
/// <param name="FreeAt">When one more passes; null when it passes now, or when only the end of what is under way lets it.</param>
public sealed record LimitUse(string Subject, SendingMeasure Measure, SendingWindow Window, long Used, long? Allowed, DateTimeOffset? FreeAt);

using System.Collections.Immutable;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration;

/// <summary>[app_passwords]: one password a device.</summary>
public sealed record AppPasswordOptions
{
    /// <summary>Who logs in with nothing else: logins, "group:NAME", or "*" for all.</summary>
    public ValueList<string> Required { get; init; } = [];

    /// <summary>App passwords one login may have, expired ones not counted.</summary>
    public int PerLogin { get; init; } = 20;

    /// <summary>Is the login's own password refused?</summary>
    public bool IsRequired(string login, ImmutableArray<string> groups) =>
        Required.Any(subject => new GrantRule(subject, "", "").IsFor(login, groups));
}

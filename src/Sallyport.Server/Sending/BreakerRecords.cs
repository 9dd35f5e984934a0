using System.Text.Json.Serialization;
using Sallyport.Mail.Policy;

namespace Sallyport.Server.Sending;

/// <summary>A login is stopped: its mail is held from this moment on.</summary>
/// <param name="Sign">Which limit: as <see cref="BreakerSign.Name"/>.</param>
/// <param name="Reason">Why its mail is held, the same for all of it.</param>
/// <param name="Networks">It sent from within the hour before.</param>
/// <param name="Recipients">Some of the last it wrote to.</param>
public sealed record Trip(
    string Login, DateTimeOffset At, string Sign, string Reason, long Count, long Allowed, long Usual, string Client, string[] Networks,
    string[] Recipients);

/// <summary>How a login stands with the breaker.</summary>
/// <param name="Trip">Null when it is not stopped.</param>
/// <param name="Signs">How near it is to each limit; empty for a login that is never stopped.</param>
/// <param name="TrustedUntil">Null when the administrator has not said that what it does is usual.</param>
public sealed record BreakerState(
    string Login, Trip? Trip, BreakerSign[] Signs, UsualSending Usual, SendingAmount Hour, SendingAmount Day, int Networks,
    DateTimeOffset? TrustedUntil);

/// <summary>What is usual for a login, as it is stored. Names only grow.</summary>
/// <param name="DayNumber">The day being counted, since the year 1: what is before it is learned.</param>
internal sealed record StoredPattern(UsualSending Usual, long DayNumber)
{
    /// <summary>Where older releases stored it: <see cref="StoredStop"/> has it now, as an entry of its own.</summary>
    public Trip? Trip { get; init; }

    public SendingAmount? Trusted { get; init; }

    public DateTimeOffset? TrustedUntil { get; init; }
}

/// <summary>That a login is stopped, or what it is trusted with, as it is stored. Names only grow.</summary>
internal sealed record StoredStop
{
    public Trip? Trip { get; init; }

    public SendingAmount? Trusted { get; init; }

    public DateTimeOffset? TrustedUntil { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredPattern))]
[JsonSerializable(typeof(StoredStop))]
internal sealed partial class BreakerJson : JsonSerializerContext;

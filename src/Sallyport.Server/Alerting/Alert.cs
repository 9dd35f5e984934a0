using System.Text.Json.Serialization;

namespace Sallyport.Server.Alerting;

/// <summary>What an administrator must know now. As JSON it is what the webhook is posted; names only grow.</summary>
/// <param name="Kind">breaker_tripped, test, or several for what was gathered while the cool-down lasted.</param>
/// <param name="About">The login, or what else it is about.</param>
/// <param name="Server">The host name of this server.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="Commands">What can be done about it, as it is typed.</param>
public sealed record Alert(string Kind, string About, string Server, DateTimeOffset At, string Summary, string[] Commands)
{
    public AlertEvidence? Evidence { get; init; }

    /// <summary>Happened within the cool-down of an earlier alert, one line each; not all where they were many.</summary>
    public string[]? Others { get; init; }

    /// <summary>How many those were.</summary>
    public int? OthersCount { get; init; }
}

/// <summary>What the breaker saw.</summary>
/// <param name="Sign">Which limit: first_contacts_per_hour and so on.</param>
/// <param name="Usual">The most of it before; 0 when nothing is known.</param>
/// <param name="Client">Where the message came from that was one too many.</param>
/// <param name="Networks">It sent from within the hour before.</param>
/// <param name="Recipients">Some of the last it wrote to.</param>
/// <param name="HeldMessages">Held so far: what waited in the queue. What comes after is held as well.</param>
public sealed record AlertEvidence(
    string Sign, long Count, long Allowed, long Usual, string Client, string[] Networks, string[] Recipients, long HeldMessages);

/// <summary>What came of an alert, one way.</summary>
/// <param name="Way">mail or webhook.</param>
/// <param name="Trouble">Empty when it went.</param>
public sealed record AlertOutcome(string Way, string To, string Trouble);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Alert))]
internal sealed partial class AlertJson : JsonSerializerContext;

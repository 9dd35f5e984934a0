using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Import;

namespace Sallyport.Interaction;

internal sealed record CheckReport(bool Valid, ConfigurationProblem[] Problems, ConfigurationProblem[] Warnings);

/// <param name="Outcome">ok, warning or failed.</param>
internal sealed record Finding(string Check, string Outcome, string Detail);

/// <param name="Accepted">The server took the message.</param>
/// <param name="State">refused, relayed, deferred, failed, held, removed or unknown.</param>
/// <param name="NextHop">Where it went, or would go.</param>
/// <param name="Outcome">The same in words, with the next hop's reply.</param>
internal sealed record SendTestReport(bool Accepted, string State, string Reply, string? QueueId, string? NextHop, string Outcome);

/// <summary>What a command with --json prints when it fails before it has anything else to say.</summary>
internal sealed record FailureReport(bool Done, string Message, ConfigurationProblem[]? Problems);

/// <summary>What became of one message of a change to several.</summary>
internal sealed record ChangeReport(string QueueId, bool Done, string Message);

/// <summary>How the verbs' own records are written. Names only grow.</summary>
[JsonSourceGenerationOptions]
[JsonSerializable(typeof(CheckReport))]
[JsonSerializable(typeof(Finding[]))]
[JsonSerializable(typeof(SendTestReport))]
[JsonSerializable(typeof(FailureReport))]
[JsonSerializable(typeof(ChangeReport[]))]
[JsonSerializable(typeof(ImportReport))]
internal sealed partial class CommandJson : JsonSerializerContext
{
    public static CommandJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sallyport.Server.Configuration;

namespace Sallyport.Verbs;

internal sealed record CheckReport(bool Valid, ConfigurationProblem[] Problems, ConfigurationProblem[] Warnings);

/// <param name="Outcome">ok, warning or failed.</param>
internal sealed record Finding(string Check, string Outcome, string Detail);

internal sealed record SendTestReport(bool Accepted, string Reply, string? QueueId, string Outcome);

/// <summary>How the verbs' own records are written. Names only grow.</summary>
[JsonSourceGenerationOptions]
[JsonSerializable(typeof(CheckReport))]
[JsonSerializable(typeof(Finding[]))]
[JsonSerializable(typeof(SendTestReport))]
internal sealed partial class VerbJson : JsonSerializerContext
{
    public static VerbJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}

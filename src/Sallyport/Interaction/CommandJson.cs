using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sallyport.Server.Configuration;

namespace Sallyport.Interaction;

/// <summary>What a command with --json prints when it fails before it has anything else to say.</summary>
/// <param name="Code">Where the admin API refused it.</param>
internal sealed record FailureReport(bool Done, string Message, ConfigurationProblem[]? Problems, string? Code = null);

/// <summary>What became of one message of a change to several.</summary>
internal sealed record ChangeReport(string QueueId, bool Done, string Code, string Message);

/// <summary>How the commands' own records are written. Names only grow.</summary>
[JsonSourceGenerationOptions]
[JsonSerializable(typeof(FailureReport))]
[JsonSerializable(typeof(ChangeReport[]))]
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

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Sallyport.Server.State;

/// <summary>Stored values as what they mean.</summary>
internal static class StoredJson
{
    /// <exception cref="JsonException">It is damaged.</exception>
    public static T Read<T>(ReadOnlyMemory<byte> value, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(value.Span, type) ?? throw new JsonException("nothing is there");
}

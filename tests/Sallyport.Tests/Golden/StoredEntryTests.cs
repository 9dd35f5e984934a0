using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Sallyport.Server.Configuration;
using Sallyport.Tests.Tidy;
using Xunit;

namespace Sallyport.Tests.Golden;

/// <summary>
/// The JSON that is kept in the store, and what alerts post: names and kinds of values only grow. A type may be renamed, its JSON may not: the
/// golden file knows no names of types.
/// </summary>
public sealed class StoredEntryTests
{
    private const string Golden = "tests/Sallyport.Tests/Golden/stored-entries.golden.txt";

    [Fact]
    public void What_is_stored_as_JSON_has_the_names_written_down()
    {
        string[] found = [.. Contexts().SelectMany(Roots).Select(root => Shape(root, 0)).Order(StringComparer.Ordinal)];
        Assert.NotEmpty(found);
        Assert.Equal(SourceTree.Read(Golden).Split('\n', StringSplitOptions.RemoveEmptyEntries), found);
    }

    /// <summary>All of the server's but those of the admin API, which has golden files of its own.</summary>
    private static IEnumerable<JsonSerializerContext> Contexts() => typeof(ServerOptions).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(JsonSerializerContext))
            && type.Namespace?.StartsWith("Sallyport.Server.Admin", StringComparison.Ordinal) != true)
        .Select(type => (JsonSerializerContext)type.GetProperty("Default")!.GetValue(null)!);

    private static IEnumerable<JsonTypeInfo> Roots(JsonSerializerContext context) => context.GetType().GetCustomAttributesData()
        .Where(attribute => attribute.AttributeType == typeof(JsonSerializableAttribute))
        .Select(attribute => context.GetTypeInfo((Type)attribute.ConstructorArguments[0].Value!)!);

    private static string Shape(JsonTypeInfo type, int depth) => type.Kind switch
    {
        JsonTypeInfoKind.Object when depth < 8 =>
            "{" + string.Join(", ", type.Properties.Select(property =>
                $"{property.Name}: {Shape(type.Options.GetTypeInfo(property.PropertyType), depth + 1)}")) + "}",
        JsonTypeInfoKind.Enumerable => $"[{Shape(type.Options.GetTypeInfo(type.ElementType!), depth + 1)}]",
        JsonTypeInfoKind.Dictionary => $"{{*: {Shape(type.Options.GetTypeInfo(type.ElementType!), depth + 1)}}}",
        _ => Nullable.GetUnderlyingType(type.Type)?.Name + (Nullable.GetUnderlyingType(type.Type) is null ? type.Type.Name : "?"),
    };
}

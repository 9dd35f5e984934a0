using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Sallyport.Server.Admin.Operations;
using Sallyport.Tests.Fakes;
using Sallyport.Tests.Tidy;
using Xunit;

namespace Sallyport.Tests.Server.Admin;

/// <summary>What scripts and consoles rely on: paths, roles, the JSON of every request and answer, and the codes.</summary>
public sealed class AdminContractTests
{
    private static readonly string Golden = Path.Combine(SourceTree.Root, "tests/Sallyport.Tests/Server/Admin/admin-api.golden.txt");

    public static TheoryData<string> Codes => [.. CodesOf().Select(code => code.Value)];

    /// <summary>A line that changes or goes breaks somebody's script; a new line is new. On purpose: SALLYPORT_GOLDEN=write.</summary>
    [Fact]
    public void The_admin_API_is_as_it_was_published()
    {
        var now = Describe();
        if (Environment.GetEnvironmentVariable("SALLYPORT_GOLDEN") == "write")
        {
            File.WriteAllText(Golden, now);
        }

        Assert.Equal(File.ReadAllText(Golden), now);
    }

    [Fact]
    public async Task Every_operation_is_answered_at_the_door()
    {
        await using var bench = new AdminBench();
        Assert.Equal(
            Operations().Select(operation => PathOf(operation)).Order(StringComparer.Ordinal),
            bench.Admin.Dispatcher.Endpoints.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_code_has_two_meanings() => Assert.Equal(CodesOf().Count, CodesOf().Select(code => code.Value).Distinct().Count());

    [Theory]
    [MemberData(nameof(Codes))]
    public void A_code_is_documented(string code) =>
        Assert.Contains($"`{code}`", File.ReadAllText(Path.Combine(SourceTree.Root, "docs/operating/admin-api.md")));

    [Fact]
    public void Every_operation_is_documented()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs/operating/admin-api.md"));
        Assert.DoesNotContain(Operations().Select(PathOf), path => !page.Contains($"`{path}`", StringComparison.Ordinal));
    }

    [Fact]
    public void What_carries_a_secret_does_not_show_it()
    {
        object[] secret =
        [
            new LoginQuery("jane", "s3cret"), new TokenQuery("jane", "s3cret"), new SendTestRequest("jane", "s3cret", "a", "b"),
            new ConfigurationText("f", "s3cret"), new MadeAppPassword(true, "", "", "jane", "id", "s3cret"),
            new NewUser("jane", VerifierView.Make("s3cret"), []), new DoctorRequest(new ConfigurationText("f", "s3cret")),
        ];
        Assert.All(secret, one => Assert.DoesNotContain("s3cret", one.ToString()));
    }

    private static string Describe()
    {
        var text = new StringBuilder();
        foreach (var operation in Operations().OrderBy(PathOf, StringComparer.Ordinal))
        {
            var type = operation.GetType();
            var kind = type.Name.StartsWith("AdminListing", StringComparison.Ordinal) ? "listing"
                : type.Name.StartsWith("AdminStream", StringComparison.Ordinal) ? "stream" : "call";
            var role = type.GetProperty("Role")!.GetValue(operation)!.ToString()!.ToLowerInvariant();
            text.Append(PathOf(operation)).Append("  ").Append(kind).Append("  ").Append(role)
                .Append((bool)type.GetProperty("Changes")!.GetValue(operation)! ? "  changes" : "").Append('\n')
                .Append("  > ").Append(Sample((JsonTypeInfo)type.GetProperty("Request")!.GetValue(operation)!)).Append('\n')
                .Append("  < ").Append(Sample((JsonTypeInfo)(type.GetProperty("Answer") ?? type.GetProperty("Items") ?? type.GetProperty("Part"))!
                    .GetValue(operation)!)).Append('\n');
        }

        text.Append("codes\n");
        CodesOf().Select(code => code.Value).Order(StringComparer.Ordinal).ToList().ForEach(code => text.Append("  ").Append(code).Append('\n'));
        return text.ToString();
    }

    private static string Sample(JsonTypeInfo type) => JsonSerializer.Serialize(Make(type.Type), type);

    /// <summary>A value with every member set, however deep.</summary>
    private static object? Make(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string))
        {
            return "text";
        }

        if (type == typeof(DateTimeOffset))
        {
            return new DateTimeOffset(2026, 11, 24, 8, 15, 30, TimeSpan.Zero);
        }

        if (type == typeof(byte[]))
        {
            return new byte[] { 1 };
        }

        if (type == typeof(SortedDictionary<string, string>))
        {
            return new SortedDictionary<string, string> { ["name"] = "text" };
        }

        if (type.IsArray)
        {
            var items = Array.CreateInstance(type.GetElementType()!, 1);
            items.SetValue(Make(type.GetElementType()!), 0);
            return items;
        }

        return type.IsPrimitive ? Convert.ChangeType(1, type, null) : MakeRecord(type);
    }

    private static object MakeRecord(Type type)
    {
        var constructor = type.GetConstructors().OrderByDescending(one => one.GetParameters().Length)
            .First(one => one.GetParameters() is not [{ ParameterType: var only }] || only != type);
        var made = constructor.Invoke([.. constructor.GetParameters().Select(parameter => Make(parameter.ParameterType))]);
        var named = constructor.GetParameters().Select(parameter => parameter.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite && !named.Contains(property.Name)))
        {
            property.SetValue(made, Make(property.PropertyType));
        }

        return made;
    }

    private static List<object> Operations() =>
    [
        .. typeof(AdminJson).Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(AdminJson).Namespace && type.Name.EndsWith("Operations", StringComparison.Ordinal))
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Static))
            .Where(property => property.PropertyType.IsGenericType && property.PropertyType.Name.StartsWith("Admin", StringComparison.Ordinal))
            .Select(property => property.GetValue(null)!),
    ];

    private static string PathOf(object operation) => (string)operation.GetType().GetProperty("Path")!.GetValue(operation)!;

    private static List<(string Name, string Value)> CodesOf() =>
    [
        .. typeof(AdminCodes).GetFields(BindingFlags.Public | BindingFlags.Static | BindingFlags.FlattenHierarchy)
            .Where(field => field.IsLiteral).Select(field => (field.Name, (string)field.GetRawConstantValue()!)),
    ];
}

using System.Net;
using System.Reflection;
using Sallyport.Mail.Values;
using Sallyport.Server.Configuration;
using Xunit;

namespace Sallyport.Tests.Server.Configuration;

/// <summary>A reload compares options: a member that equality forgets is a change nobody takes.</summary>
public sealed class OptionEqualityTests
{
    private static readonly Type[] Records = [.. Reachable()];

    public static TheoryData<string, string> Members
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var type in Records)
            {
                foreach (var property in Settable(type))
                {
                    data.Add(type.FullName!, property.Name);
                }
            }

            return data;
        }
    }

    [Fact]
    public void All_option_records_are_found() => Assert.True(Records.Length > 30, $"only {Records.Length}: the scan is wrong");

    [Theory]
    [MemberData(nameof(Members))]
    public void Options_that_differ_in_one_member_are_not_equal(string name, string member)
    {
        var type = Records.Single(one => one.FullName == name);
        var property = type.GetProperty(member)!;
        var one = Make(type);
        var same = Clone(one);
        var other = Clone(one);
        property.SetValue(other, Different(property.PropertyType, property.GetValue(one)));
        Assert.Equal(one, same);
        Assert.NotEqual(one, other);
    }

    [Fact]
    public void The_same_text_read_twice_gives_equal_options()
    {
        using var site = new SiteFolder();
        const string More = """
            [[directory]]
            type = "imap"
            url = ["imaps://a.acme.test", "imaps://b.acme.test"]
            address_template = "{local}@acme.test"
            [[directory]]
            type = "ldap"
            preset = "domino"
            url = "ldaps://d.acme.test"
            [[directory]]
            type = "dovecot"
            socket = "/run/dovecot/auth"
            [[directory]]
            type = "oidc"
            issuer = "https://login.acme.test/"
            audience = "sallyport"
            [[grant]]
            to = "*"
            as = ["info@acme.test"]
            [[sender]]
            for = "*"
            mode = "log"
            [[quota]]
            for = ["*"]
            messages = { day = 3 }
            [[breaker.for]]
            who = ["jane"]
            [alert]
            mail = ["postmaster@acme.test"]
            [guard]
            never_ban = ["192.0.2.0/24"]
            [app_passwords]
            required = ["jane"]
            [submission]
            mechanisms = ["PLAIN"]

            """;
        var one = Assert.IsType<ConfigurationResult.Loaded>(site.Load(more: More)).Options;
        var other = Assert.IsType<ConfigurationResult.Loaded>(site.Load(more: More)).Options;
        Assert.NotSame(one, other);
        Assert.Equal(one, other);
        Assert.Equal(one.GetHashCode(), other.GetHashCode());
    }

    private static IEnumerable<Type> Reachable()
    {
        var seen = new HashSet<Type>();
        var open = new Queue<Type>([typeof(ServerOptions), .. typeof(DirectoryOptions).Assembly.GetTypes().Where(type =>
            type.IsSubclassOf(typeof(DirectoryOptions)))]);
        while (open.TryDequeue(out var type))
        {
            if (!seen.Add(type))
            {
                continue;
            }

            foreach (var inner in type.GetProperties().SelectMany(property => Inner(property.PropertyType)).Where(IsRecord))
            {
                open.Enqueue(inner);
            }
        }

        return seen.Where(type => !type.IsAbstract).OrderBy(type => type.FullName, StringComparer.Ordinal);
    }

    private static IEnumerable<Type> Inner(Type type) =>
        Nullable.GetUnderlyingType(type) is { } value ? Inner(value)
        : type.IsGenericType ? [type, .. type.GetGenericArguments().SelectMany(Inner)]
        : [type];

    private static bool IsRecord(Type type) => type.Namespace?.StartsWith("Sallyport.", StringComparison.Ordinal) == true
        && !type.IsEnum && !type.IsGenericType && Settable(type).Any();

    private static IEnumerable<PropertyInfo> Settable(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is not null && property.GetIndexParameters().Length == 0);

    private static object Clone(object record) =>
        record.GetType().GetMethod("<Clone>$") is { } clone ? clone.Invoke(record, null)! : record.GetType().IsValueType ? Copy(record) : record;

    private static object Copy(object value) =>
        typeof(object).GetMethod("MemberwiseClone", BindingFlags.NonPublic | BindingFlags.Instance)!.Invoke(value, null)!;

    private static object Make(Type type)
    {
        if (type == typeof(DirectoryOptions))
        {
            return new LocalDirectoryOptions("made");
        }

        var constructor = type.GetConstructors().MinBy(one => one.GetParameters().Length);
        return constructor is null || (type.IsValueType && constructor.GetParameters().Length == 0)
            ? Activator.CreateInstance(type)!
            : constructor.Invoke([.. constructor.GetParameters().Select(parameter => Different(parameter.ParameterType, null))]);
    }

    /// <summary>A value of the type that is not <paramref name="now"/>.</summary>
    private static object Different(Type type, object? now)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            _ when type == typeof(bool) => now is not true,
            _ when type == typeof(int) => (now as int? ?? 0) + 1,
            _ when type == typeof(long) => (now as long? ?? 0) + 1,
            _ when type == typeof(double) => (now as double? ?? 0) + 1,
            _ when type == typeof(string) => (now as string ?? "") + "x",
            _ when type == typeof(TimeSpan) => (now as TimeSpan? ?? TimeSpan.Zero) + TimeSpan.FromSeconds(1),
            _ when type == typeof(Uri) => new Uri($"https://{(now as Uri)?.Host ?? "a"}x.test/"),
            _ when type == typeof(IPEndPoint) => new IPEndPoint(IPAddress.Loopback, ((now as IPEndPoint)?.Port ?? 0) + 1),
            _ when type == typeof(IPNetwork) => new IPNetwork(IPAddress.Loopback, ((now as IPNetwork?)?.PrefixLength ?? 1) % 32 == 0 ? 1 : 32),
            { IsEnum: true } => Enum.GetValues(type).Cast<object>().First(value => !value.Equals(now)),
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(ValueList<>) => Longer(type.GetGenericArguments()[0], now),
            _ when IsRecord(type) => now is null ? Make(type) : Changed(now),
            _ => throw new InvalidOperationException($"{type} in an option record: equality by value is not known of it"),
        };
    }

    private static object Changed(object record)
    {
        var other = Clone(record);
        var property = Settable(other.GetType()).First();
        property.SetValue(other, Different(property.PropertyType, property.GetValue(other)));
        return other;
    }

    private static object Longer(Type item, object? now)
    {
        var items = now is null ? [] : ((System.Collections.IEnumerable)now).Cast<object>().ToList();
        var array = Array.CreateInstance(item, items.Count + 1);
        for (var i = 0; i < items.Count; i++)
        {
            array.SetValue(items[i], i);
        }

        array.SetValue(Different(item, null), items.Count);
        var immutable = typeof(System.Collections.Immutable.ImmutableArray).GetMethods()
            .Single(method => method.Name == "Create" && method.GetParameters() is [{ ParameterType.IsArray: true }])
            .MakeGenericMethod(item).Invoke(null, [array]);
        return Activator.CreateInstance(typeof(ValueList<>).MakeGenericType(item), immutable)!;
    }
}

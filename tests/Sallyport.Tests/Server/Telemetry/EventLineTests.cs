using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Sallyport.Tests.Tidy;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Telemetry;

/// <summary>Every event there is has its words in each style and a decision whether it is counted; what programs read only grows.</summary>
public sealed class EventLineTests
{
    private const string Golden = "tests/Sallyport.Tests/Server/Telemetry/events.golden.txt";

    private static readonly DateTimeOffset At = new(2026, 11, 24, 8, 15, 30, TimeSpan.Zero);

    public static TheoryData<string> Names =>
        [.. typeof(MailEvent).GetNestedTypes().Where(type => type.IsSubclassOf(typeof(MailEvent))).Select(type => type.Name).Order()];

    [Theory]
    [MemberData(nameof(Names))]
    public void An_event_has_words_a_name_and_its_fields(string name)
    {
        var sample = Sample(name);
        Assert.NotEqual(sample.ToString(), HumanFormatter.Words(sample)); // the words of no event are its record's
        using var json = JsonDocument.Parse(new JsonFormatter().Format(sample, At));
        Assert.NotEqual(JsonFormatter.Unnamed, json.RootElement.GetProperty("event").GetString());
        Assert.True(json.RootElement.EnumerateObject().Count() >= 4, "time, level, event and at least one field");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_event_is_counted_or_said_not_to_be(string name)
    {
        var sample = Sample(name);
        using var metrics = new MailMetrics(new RecordingLog());
        using var text = new PrometheusText(metrics.Meter);
        var before = text.Write();
        metrics.Write(sample);
        Assert.Equal(MailMetrics.IsNotCounted(sample), before == text.Write());
    }

    [Fact]
    public void The_lines_of_all_events_are_those_written_down()
    {
        var found = new StringBuilder();
        foreach (var name in Names.Select(row => row.Data))
        {
            var sample = Sample(name);
            found.Append(name).Append('\n');
            found.Append("  human  ").Append(new HumanFormatter().Format(sample, At)).Append('\n');
            found.Append("  domino ").Append(new DominoFormatter().Format(sample, At) ?? "none").Append('\n');
            found.Append("  json   ").Append(new JsonFormatter().Format(sample, At)).Append('\n');
        }

        Assert.Equal(SourceTree.Read(Golden).Split('\n'), found.ToString().Split('\n'));
    }

    /// <summary>One made of its own parameters: each text is the name of its field.</summary>
    private static MailEvent Sample(string name)
    {
        var constructor = typeof(MailEvent).GetNestedType(name)!.GetConstructors().Single();
        return (MailEvent)constructor.Invoke([.. constructor.GetParameters().Select(Value)]);
    }

    private static object? Value(ParameterInfo parameter)
    {
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        return type == typeof(string) ? JsonNamingPolicy.SnakeCaseLower.ConvertName(parameter.Name!)
            : type == typeof(QueueId) ? Id(1)
            : type == typeof(Reply) ? Replies.NoRoom
            : type == typeof(DateTimeOffset) ? At.AddHours(1)
            : type == typeof(TimeSpan) ? TimeSpan.FromSeconds(90)
            : type == typeof(bool) ? true
            : type.IsEnum ? Enum.GetValues(type).GetValue(0)
            : Convert.ChangeType(7, type, CultureInfo.InvariantCulture);
    }
}

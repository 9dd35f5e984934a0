using Sallyport.Server.Configuration;
using Xunit;

namespace Sallyport.Tests.Server.Configuration;

/// <summary>[[quota]].</summary>
public sealed class QuotaReaderTests : IDisposable
{
    private readonly SiteFolder _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public void Limits_are_read_by_measure_and_window()
    {
        var result = _site.Load(more: """
            [[quota]]
            for = ["jane", "group:Staff"]
            shared = true
            messages = { minute = 30, hour = 300, day = 2000 }
            first_time_recipients = { day = 0 }
            bytes = { day = "1GiB", hour = 1000 }
            connections = { at_once = 20, minute = 60 }

            """);
        var quota = Assert.Single(Assert.IsType<ConfigurationResult.Loaded>(result).Options.Quotas);
        Assert.Equal((true, "jane group:Staff", 12), (quota.Shared, string.Join(' ', quota.For), quota.Line));
        Assert.Equal(
            [
                "Messages Minute 30", "Messages Hour 300", "Messages Day 2000", "FirstTimeRecipients Day 0", "Bytes Hour 1000",
                "Bytes Day 1073741824", "Connections AtOnce 20", "Connections Minute 60",
            ],
            quota.Limits.Select(limit => $"{limit.Measure} {limit.Window} {limit.Allowed}"));
    }

    [Theory]
    [InlineData("messages = { hour = 1 }", "12: quota.for: is missing; for example for = [\"*\"]")]
    [InlineData("for = [\"*\"]", "12: quota: limits nothing; for example messages = { hour = 300, day = 2000 }")]
    [InlineData("for = [\"group:\"]\nmessages = { day = 1 }", "13: quota.for: \"group:\" names no group")]
    [InlineData("for = [\"*\"]\nmessages = 30", "14: quota.messages: must be a table in braces, like { hour = 300, day = 2000 }")]
    [InlineData("for = [\"*\"]\nmessages = { week = 3 }", "14: quota.messages.week: is not known in [quota.messages]")]
    [InlineData("for = [\"*\"]\nmessages = { minut = 3 }", "14: quota.messages.minut: is not known in [quota.messages]; did you mean \"minute\"?")]
    [InlineData("for = [\"*\"]\nmessages = { day = -1 }", "14: quota.messages.day: must be a whole number from 0 to 1000000000")]
    [InlineData("for = [\"*\"]\nmessages = { at_once = 1, day = 1 }", "14: quota.messages.at_once: is not known in [quota.messages]")]
    [InlineData("for = [\"*\"]\nconnections = { at_once = 0 }", "14: quota.connections.at_once: must be a whole number from 1 to 1000000000")]
    [InlineData("for = [\"*\"]\nbytes = { day = \"much\" }", "14: quota.bytes.day: must be a size from 0 to 1125899906842624 bytes")]
    [InlineData("for = [\"*\"]\nmesages = { day = 1 }\nbytes = { day = 1 }",
        "14: quota.mesages: is not known in [quota]; did you mean \"messages\"?")]
    public void A_mistake_is_told_with_its_line(string lines, string told) =>
        Assert.StartsWith(told, Assert.Single(_site.Problems(more: "[[quota]]\n" + lines + "\n")));

    [Fact]
    public void What_cannot_mean_what_it_says_is_a_doubt()
    {
        var all = "[[quota]]\nfor = [\"*\"]\nmessages = { hour = 300, day = 200 }\n";
        Assert.Equal(
            [
                "12: quota: allows more messages an hour than a day",
                "15: quota: is never asked: the one in line 12 is for all (\"*\"), and the first for a login decides; put it before",
            ],
            _site.Warnings(more: all
                + "[[quota]]\nfor = [\"jane\"]\nmessages = { day = 1 }\n[[quota]]\nfor = [\"*\"]\nshared = true\nbytes = { day = 1 }\n"));
    }
}

using Sallyport.Mail.Policy;
using Sallyport.Server.Sending;
using Xunit;

namespace Sallyport.Tests.Server.Sending;

public sealed class WindowCountTests
{
    [Fact]
    public void What_was_counted_while_the_clock_was_ahead_leaves_with_the_window()
    {
        var now = new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
        var hour = WindowCount.NewHour();
        hour.Add(Messages(1), now);
        hour.Add(Messages(2), now.AddYears(1));
        hour.Add(Messages(4), now.AddYears(1).AddMinutes(2));
        hour.Prune(now.AddMinutes(1));
        Assert.Equal(7, hour.Total.Sent.Messages);
        hour.Add(Messages(8), now.AddMinutes(1));
        hour.Prune(now.AddMinutes(63));
        Assert.Equal(default, hour.Total);
    }

    private static UsageAmount Messages(long messages) => new(new SendingAmount(messages, 0, 0, 0, 0));
}

using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests;

/// <summary>Queue ids: unique, sortable by time, and read back as they are written.</summary>
public sealed class QueueIdTests
{
    [Fact]
    public void A_later_id_sorts_after_an_earlier_one()
    {
        var t = new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
        var first = QueueId.Create(t, uint.MaxValue).ToString();
        var second = QueueId.Create(t.AddMicroseconds(1), 0).ToString();
        Assert.True(string.CompareOrdinal(first, second) < 0);
        Assert.True(QueueId.TryParse(first, out var parsed));
        Assert.Equal(first, parsed.ToString());
    }

    [Theory]
    [InlineData("../../X")]
    [InlineData("abcdef")]
    [InlineData("12345")]
    [InlineData(null)]
    public void What_is_no_queue_id_is_refused(string? text) => Assert.False(QueueId.TryParse(text, out _));
}

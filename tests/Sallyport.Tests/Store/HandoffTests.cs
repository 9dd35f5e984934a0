using Sallyport.Store;
using Xunit;

namespace Sallyport.Tests.Store;

public sealed class HandoffTests
{
    [Fact]
    public void Room_is_bounded_in_messages_and_in_octets()
    {
        var handoff = new Handoff(messagesMax: 2, bytesMax: 100);
        var first = handoff.TryReserve(60);
        Assert.NotNull(first);
        Assert.Null(handoff.TryReserve(41));
        Assert.NotNull(handoff.TryReserve(40));
        Assert.Null(handoff.TryReserve(0));
        first.Dispose();
        Assert.NotNull(handoff.TryReserve(60));
    }

    [Fact]
    public void Room_is_given_back_once_however_often_a_reservation_is_released()
    {
        var handoff = new Handoff(messagesMax: 2, bytesMax: 100);
        using var other = handoff.TryReserve(50);
        var reservation = handoff.TryReserve(50)!;
        reservation.Dispose();
        reservation.Dispose();
        Assert.NotNull(handoff.TryReserve(50));
        Assert.Null(handoff.TryReserve(1));
    }

    [Fact]
    public void Room_changes_with_the_configuration()
    {
        var handoff = new Handoff(messagesMax: 1, bytesMax: 100);
        var first = handoff.TryReserve(60)!;
        handoff.Resize(2, 200);
        var second = handoff.TryReserve(140)!;
        handoff.Resize(1, 200);
        second.Dispose();
        Assert.Null(handoff.TryReserve(1));
        first.Dispose();
        Assert.NotNull(handoff.TryReserve(200));
    }

    [Fact]
    public async Task Room_is_never_given_twice_however_many_ask()
    {
        var handoff = new Handoff(messagesMax: 50, bytesMax: long.MaxValue / 2);
        var granted = await Task.WhenAll(Enumerable.Range(0, 200)
            .Select(_ => Task.Run(() => handoff.TryReserve(1), TestContext.Current.CancellationToken)));
        Assert.InRange(granted.Count(reservation => reservation is not null), 1, 50);
    }

    [Fact]
    public async Task What_is_offered_is_taken_in_order()
    {
        var handoff = new Handoff(10, 1000);
        var messages = Enumerable.Range(1, 3)
            .Select(i => new SpooledMessage(StoreSamples.Id(i), StoreSamples.Record("a@example.com"), 1, [])).ToList();
        messages.ForEach(handoff.Offer);
        foreach (var message in messages)
        {
            Assert.Same(message, await handoff.Accepted.ReadAsync(TestContext.Current.CancellationToken));
        }
    }
}

using System.Net;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Identity.Passwords;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Passwords;

/// <summary>Guessers from one network wait behind themselves.</summary>
public sealed class HashQueueTests
{
    private const int PerNetwork = 8;
    private static readonly IPAddress Guessers = IPAddress.Parse("198.51.100.9");
    private static readonly IPAddress Users = IPAddress.Parse("192.0.2.7");
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_network_has_few_places_and_the_others_keep_theirs()
    {
        using var held = new ManualResetEventSlim();
        using var queue = new HashQueue(1, 500, PerNetwork, WaitMax, TimeProvider.System);
        await OccupyAsync(queue, held);
        var waiting = Enumerable.Range(0, PerNetwork).Select(_ => queue.RunAsync(Guessers, () => true)).ToList();
        Assert.Null(await queue.RunAsync(Guessers, () => true));
        var user = queue.RunAsync(Users, () => true);
        Assert.False(user.IsCompleted);
        held.Set();
        Assert.True(await user.WaitAsync(Cancel));
        Assert.All(await Task.WhenAll(waiting).WaitAsync(Cancel), result => Assert.True(result));
    }

    [Fact]
    public async Task Networks_that_wait_for_a_hash_take_turns()
    {
        using var held = new ManualResetEventSlim();
        using var queue = new HashQueue(1, 500, PerNetwork, WaitMax, TimeProvider.System);
        await OccupyAsync(queue, held);
        var order = new List<string>();
        List<Task<bool?>> all = [];
        foreach (var who in (string[])["guess 1", "guess 2", "guess 3", "user"])
        {
            all.Add(queue.RunAsync(who == "user" ? Users : Guessers, () =>
            {
                order.Add(who);
                return true;
            }));
        }

        held.Set();
        await Task.WhenAll(all).WaitAsync(Cancel);
        Assert.Equal(["guess 1", "user", "guess 2", "guess 3"], order);
    }

    [Fact]
    public async Task The_queue_of_hashes_as_a_whole_is_bounded()
    {
        using var held = new ManualResetEventSlim();
        using var queue = new HashQueue(1, 2, PerNetwork, WaitMax, TimeProvider.System);
        await OccupyAsync(queue, held);
        var first = queue.RunAsync(Users, () => true);
        var second = queue.RunAsync(Guessers, () => false);
        Assert.Null(await queue.RunAsync(IPAddress.Loopback, () => true));
        held.Set();
        Assert.True(await first.WaitAsync(Cancel));
        Assert.False(await second.WaitAsync(Cancel));
    }

    [Fact]
    public async Task Who_waits_too_long_is_sent_away_and_not_worked_for()
    {
        var clock = new FakeTimeProvider();
        using var held = new ManualResetEventSlim();
        using var queue = new HashQueue(1, 500, PerNetwork, WaitMax, clock);
        await OccupyAsync(queue, held);
        var worked = false;
        var late = queue.RunAsync(Users, () => worked = true);
        clock.Advance(WaitMax);
        Assert.Null(await late.WaitAsync(Cancel));
        held.Set();
        Assert.True(await queue.RunAsync(Users, () => true).WaitAsync(Cancel));
        Assert.False(worked);
    }

    [Fact]
    public async Task Work_is_done_on_threads_that_give_way()
    {
        using var queue = new HashQueue(2, 500, PerNetwork, WaitMax, TimeProvider.System);
        Assert.True(await queue.RunAsync(Users, () => !Thread.CurrentThread.IsThreadPoolThread
            && Thread.CurrentThread.Priority == ThreadPriority.BelowNormal).WaitAsync(Cancel));
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => queue.RunAsync(Users, () => throw new InvalidOperationException("broken")).WaitAsync(Cancel));
        Assert.True(await queue.RunAsync(Users, () => true).WaitAsync(Cancel));
    }

    [Fact]
    public async Task Whoever_still_waits_for_a_hash_at_the_end_is_told()
    {
        using var held = new ManualResetEventSlim();
        var queue = new HashQueue(1, 500, PerNetwork, WaitMax, TimeProvider.System);
        await OccupyAsync(queue, held);
        var waiting = queue.RunAsync(Users, () => true);
        queue.Dispose();
        Assert.Null(await waiting.WaitAsync(Cancel));
        Assert.Null(await queue.RunAsync(Users, () => true));
        held.Set();
    }

    /// <summary>The only thread works until it is let go.</summary>
    private static async Task OccupyAsync(HashQueue queue, ManualResetEventSlim held)
    {
        var working = new TaskCompletionSource();
        _ = queue.RunAsync(IPAddress.None, () =>
        {
            working.SetResult();
            held.Wait(Cancel);
            return true;
        });
        await working.Task.WaitAsync(Cancel);
    }
}

using Sallyport.Server.Configuration;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>What a stranger may cost: a bounded number of octets, of commands, of minutes.</summary>
public sealed class UnauthenticatedTests
{
    [Fact]
    public void Replies_a_client_does_not_take_are_bounded_and_then_its_connection_is_cut()
    {
        const int Untaken = 4096;
        var wire = new MemoryWire(outputMax: Untaken);
        using var bench = new SubmissionBench(
            wire: wire, change: options => options with { Limits = options.Limits with { Smtp = new() { CommandsBeforeLogin = 1_000_000 } } });
        wire.Send(System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("EHLO laptop\r\n", 20_000))));
        Assert.False(bench.IsClosed);
        bench.Clock.Advance(new TimeoutOptions().Write);
        Assert.True(bench.IsClosed);
        Assert.True(wire.IsAborted);
        Assert.Equal("the client does not take our replies", bench.Why);
        Assert.InRange(wire.Take().Length, Untaken, 64 * 1024);
    }

    [Fact]
    public void A_client_that_takes_its_replies_may_send_many_commands_at_once()
    {
        using var bench = new SubmissionBench().LoggedIn();
        var replies = bench.Send(string.Concat(Enumerable.Repeat("NOOP\r\n", 20_000)));
        Assert.Equal(20_000, replies.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.False(bench.IsClosed);
    }

    [Fact]
    public void Keeping_a_connection_busy_does_not_keep_it_open_without_a_login()
    {
        using var bench = new SubmissionBench();
        var minutes = 0;
        while (!bench.IsClosed)
        {
            Assert.True(++minutes <= 4, "still open");
            bench.Send("NOOP\r\n");
            bench.Clock.Advance(TimeSpan.FromSeconds(59));
        }

        Assert.EndsWith("421 4.4.2 Timed out waiting for you, closing the connection\r\n", bench.Wire.Take());
        Assert.Equal(4, minutes);
    }

    [Fact]
    public void After_the_login_a_busy_connection_stays()
    {
        using var bench = new SubmissionBench().LoggedIn();
        for (var minute = 0; minute < 10; minute++)
        {
            Assert.Equal("250 2.0.0 Ok\r\n", bench.Send("NOOP\r\n"));
            bench.Clock.Advance(TimeSpan.FromMinutes(4));
        }

        Assert.False(bench.IsClosed);
    }
}

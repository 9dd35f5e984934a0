using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Tests.Fakes;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Relay;

/// <summary>The disk is full, the store stumbles, a stored message is damaged: relaying goes on, and nothing is sent twice or forgotten.</summary>
public sealed class RelayFaultTests : IAsyncDisposable
{
    private readonly ScriptedHop _hop = new();
    private FaultySpool? _spool;

    private FaultySpool Spool => _spool!;

    public async ValueTask DisposeAsync()
    {
        await _hop.DisposeAsync();
        if (_spool is not null)
        {
            await _spool.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_queue_that_cannot_be_read_for_a_while_is_read_again()
    {
        await using var bench = Bench();
        await bench.Clock.ArmedAsync(TimeSpan.FromMinutes(1));
        Spool.OnClaim = () => throw new IOException("database or disk is full");
        await bench.KeepDueAsync(1, "a@x.test");
        Assert.Contains("disk is full", (await bench.Log.FindAsync<MailEvent.Problem>()).What, StringComparison.Ordinal);
        await bench.Clock.RunOutAsync(TimeSpan.FromSeconds(1));
        await bench.Clock.ArmedAsync(TimeSpan.FromSeconds(2));
        Spool.OnClaim = () => { };
        bench.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(1))[0].State);
        Assert.Single(bench.Log.Events.OfType<MailEvent.Problem>()); // once a minute, not once a try
    }

    [Fact]
    public async Task What_a_next_hop_took_is_recorded_when_the_disk_has_room_again_and_is_not_sent_twice()
    {
        await using var bench = Bench();
        Spool.OnRecord = _ => throw new IOException("database or disk is full");
        await bench.SubmitAsync(1, "a@x.test");
        await bench.Log.FindAsync<MailEvent.Problem>();
        await bench.Clock.RunOutAsync(TimeSpan.FromSeconds(1));
        await bench.Clock.ArmedAsync(TimeSpan.FromSeconds(2));
        Assert.Equal("0 InProgress", States(await bench.FindAsync(1)));
        Spool.OnRecord = _ => { };
        bench.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(1))[0].State);
        Assert.Null(await bench.FindAsync(1));
        Assert.Single(_hop.Messages);
        await bench.SubmitAsync(2, "b@x.test");
        await bench.SettledAsync(2);
        Assert.Equal(1, _hop.Sessions); // the worker and its connection lived on
    }

    [Fact]
    public async Task A_bounce_that_finds_no_room_does_not_keep_the_success_of_others_from_being_recorded()
    {
        _hop.Script = (_, command) => command == "RCPT TO:<never@x.test>" ? "550 5.1.1 No such user" : null;
        await using var bench = Bench();
        Spool.OnRecord = reports => Throw(reports.Count > 0, "full");
        await bench.SubmitAsync(1, "good@x.test", "never@x.test");
        await bench.Clock.RunOutAsync(TimeSpan.FromSeconds(1));
        await bench.Clock.ArmedAsync(TimeSpan.FromSeconds(2));
        Assert.Equal("0 Relayed, 1 InProgress", States(await bench.FindAsync(1)));
        Spool.OnRecord = _ => { };
        bench.Clock.Advance(TimeSpan.FromSeconds(2));
        await _hop.UntilAsync(hop => hop.Messages.Length == 2);
        Assert.Contains("never@x.test", _hop.Messages[1].Content, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_that_cannot_read_the_message_goes_without_it()
    {
        _hop.Script = (_, command) => command.StartsWith("RCPT TO:<a@", StringComparison.Ordinal) ? "550 5.1.1 No such user" : null;
        await using var bench = Bench();
        Spool.OnOpen = id => Throw(id == Id(1), "a page cannot be read");
        await bench.KeepDueAsync(1, "a@x.test");
        Assert.Equal(RecipientState.Failed, (await bench.SettledAsync(1))[0].State);
        await _hop.UntilAsync(hop => hop.Messages.Length == 1);
        Assert.Contains("Final-Recipient: rfc822; a@x.test", _hop.Messages[0].Content, StringComparison.Ordinal);
        Assert.Null(await bench.FindAsync(1));
    }

    [Fact]
    public async Task A_message_whose_content_cannot_be_read_waits_with_an_alarm_and_no_host_is_blamed()
    {
        await using var second = new ScriptedHop();
        await using var bench = Bench(second);
        Spool.OnOpen = id => Throw(id == Id(1), "chunk 7 is gone");
        await bench.KeepDueAsync(1, "a@x.test");
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal(RecipientState.Due, settled.State);
        Assert.Contains("chunk 7 is gone", settled.Reply, StringComparison.Ordinal);
        Assert.Contains("chunk 7 is gone", (await bench.Log.FindAsync<MailEvent.Problem>()).What, StringComparison.Ordinal);
        await bench.KeepDueAsync(2, "b@x.test");
        Assert.Equal(_hop.Address.ToString(), (await bench.SettledAsync(2))[1].NextHop);
        Assert.Equal(0, second.Sessions);
        Assert.Single(_hop.Messages);
    }

    [Fact]
    public async Task Content_that_mail_cannot_carry_gets_no_final_dot_and_no_host_is_blamed()
    {
        await using var bench = Bench();
        await bench.SubmitAsync(1, Record("a@x.test"), "Subject: x\r\n\r\none\ntwo\r\n");
        Assert.Contains("bare LF", (await bench.SettledAsync(1))[0].Reply, StringComparison.Ordinal);
        await bench.SubmitAsync(2, "b@x.test");
        Assert.Equal((RecipientState.Relayed, 1), ((await bench.SettledAsync(2))[1].State, _hop.Count(".")));
    }

    [Fact]
    public async Task A_captured_message_whose_content_cannot_be_read_waits_and_leaves_nothing_half_written()
    {
        var folder = Path.Combine(Path.GetTempPath(), "sallyport-" + Guid.NewGuid().ToString("N"));
        try
        {
            await using var bench = new RelayBench(Wrap, options => options, new RouteOptions { Recipients = ["*"], Capture = folder });
            Spool.OnOpen = id => Throw(id == Id(1), "chunk 7 is gone");
            await bench.KeepDueAsync(1, "a@x.test");
            Assert.Equal(RecipientState.Due, (await bench.SettledAsync(1))[0].State);
            Assert.Empty(Directory.GetFiles(folder, "*", SearchOption.AllDirectories));
            await bench.KeepDueAsync(2, "a@x.test");
            Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(2))[1].State);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_failed_store_ends_the_relay_and_says_so()
    {
        await using var bench = Bench();
        bench.Store.Faults.FailNextCommit = true;
        Assert.IsType<CommitResult.StoreFailed>(await bench.Spool.KeepAsync(1, Record("a@x.test"), []));
        bench.Handoff.Wake();
        Assert.Contains("until a restart", (await bench.Log.FindAsync<MailEvent.Problem>()).What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_is_flushed_or_the_fault_is_told()
    {
        DirectoryFlush.Flush(Path.GetTempPath());
        var fault = Assert.Throws<IOException>(() => DirectoryFlush.Flush("/nowhere/at/all"));
        Assert.Contains("cannot be opened", fault.Message, StringComparison.Ordinal);
    }

    private static void Throw(bool now, string why)
    {
        if (now)
        {
            throw new StoreException(why);
        }
    }

    private FaultySpool Wrap(ISpool spool) => _spool = new FaultySpool(spool);

    private RelayBench Bench(params ScriptedHop[] more) =>
        new(Wrap, options => options, RelayBench.To([_hop, .. more]) with { ConnectionsMax = 1 });
}

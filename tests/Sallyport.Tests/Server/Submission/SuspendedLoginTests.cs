using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>A suspended login may log in; its next MAIL is refused, in sessions under way too.</summary>
public sealed class SuspendedLoginTests
{
    private const string Mail = "MAIL FROM:<jane@acme.test>\r\n";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_next_message_of_an_open_session_is_refused_with_the_reason_and_whom_to_ask()
    {
        using var bench = new SubmissionBench(change: options =>
            options with { Alert = new() { Mail = ["postmaster@acme.test"] } }).LoggedIn();
        Assert.StartsWith("250 ", bench.Send(Mail));
        var suspensions = bench.Services.Site.Current.Identity.Suspensions;
        await suspensions.SuspendAsync("Jane@acme.test", null, "the password was stolen", Cancel);
        bench.Send("RSET\r\n");
        Assert.Equal(
            "550 5.7.13 jane@acme.test may not send for now: the password was stolen; ask postmaster@acme.test\r\n", bench.Send(Mail));
        Assert.False(bench.IsClosed);
        Assert.Equal("<jane@acme.test>", bench.Log.Events.OfType<MailEvent.Refused>().Single().Subject);
        Assert.True(await suspensions.ResumeAsync("jane@acme.test", Cancel));
        Assert.StartsWith("250 ", bench.Send(Mail));
    }

    [Fact]
    public async Task A_suspended_login_may_log_in()
    {
        using var bench = new SubmissionBench();
        await bench.Services.Site.Current.Identity.Suspensions.SuspendAsync("jane@acme.test", null, "", Cancel);
        bench.Send("EHLO laptop\r\n");
        Assert.StartsWith("235 ", bench.Send(SubmissionBench.Login));
        Assert.Equal("550 5.7.13 jane@acme.test may not send for now; ask your mail administrator\r\n", bench.Send(Mail));
    }

    [Fact]
    public async Task A_suspension_survives_a_restart_and_ends_by_itself()
    {
        var clock = new FakeTimeProvider();
        await using var store = new MemoryStore(clock);
        var book = await LoadAsync(store, clock);
        await book.SuspendAsync("jane", TimeSpan.FromHours(1), "away", Cancel);
        await book.SuspendAsync("bob", null, "", Cancel);
        var again = await LoadAsync(store, clock);
        Assert.Equal(book.All, again.All);
        Assert.Equal(["bob", "jane"], again.All.Select(one => one.Login));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Null(again.Find("jane"));
        Assert.False(await again.ResumeAsync("jane", Cancel));
        Assert.Equal(["bob"], (await LoadAsync(store, clock)).All.Select(one => one.Login));
    }

    [Fact]
    public async Task What_is_stored_of_a_suspension_is_read_by_every_later_release()
    {
        var clock = new FakeTimeProvider();
        await using var store = new MemoryStore(clock);
        await store.PutAsync(
            RegistryKind.Suspension, "jane", """{"login":"jane","since":"2026-11-25T08:00:00+00:00","until":null,"why":"stolen"}""");
        var book = await LoadAsync(store, clock);
        Assert.Equal(new Suspension("jane", new DateTimeOffset(2026, 11, 25, 8, 0, 0, TimeSpan.Zero), null, "stolen"), book.Find("JANE"));
        await book.SuspendAsync("bob", TimeSpan.FromHours(1), "w", Cancel);
        var kept = await store.Site().Registry.FindAsync(RegistryKind.Suspension, "bob", Cancel);
        Assert.Equal(
            """{"login":"bob","since":"2000-01-01T00:00:00+00:00","until":"2000-01-01T01:00:00+00:00","why":"w"}""",
            System.Text.Encoding.UTF8.GetString(kept!.Value!.Value.Span));
    }

    private static async ValueTask<SuspensionRegistry> LoadAsync(MemoryStore store, TimeProvider time) =>
        await SuspensionRegistry.LoadAsync(await store.StateAsync(new RecordingLog(), time), time, Cancel);
}

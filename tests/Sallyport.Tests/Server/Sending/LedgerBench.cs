using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Server.Sending;
using Sallyport.Server.State;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;

namespace Sallyport.Tests.Server.Sending;

/// <summary>A book on a store and a clock in memory.</summary>
internal sealed class LedgerBench : IAsyncDisposable
{

    private LedgerBench() => Store = new MemoryStore(Clock);

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 24, 8, 15, 30, TimeSpan.Zero));

    public MemoryStore Store { get; }

    public RecordingLog Log { get; } = new();

    public UsageLedger Book { get; private set; } = null!;

    public SiteState State { get; private set; } = null!;

    public static async Task<LedgerBench> NewAsync()
    {
        var bench = new LedgerBench();
        bench.State = await bench.Store.StateAsync(bench.Log, bench.Clock);
        bench.Book = await UsageLedger.LoadAsync(bench.State, bench.Clock, default);
        return bench;
    }

    /// <summary>In order, or as after a crash: without what was not written yet.</summary>
    public async Task RestartAsync(bool crash = false)
    {
        if (crash)
        {
            State.Buffer.Collecting = null;
        }

        await State.DisposeAsync();
        State = await Store.StateAsync(Log, Clock);
        Book = await UsageLedger.LoadAsync(State, Clock, default);
    }

    public static SendingLogin Login(string name, params Quota[] quotas) => SendingLogin.Of(
        new Grant(name, "local", [name + "@acme.test"]) { Groups = ["staff"] }, [.. quotas]);

    public static Quota Each(params (SendingMeasure Measure, SendingWindow Window, long Allowed)[] limits) => Quota("*", false, limits);

    public static Quota Quota(string to, bool shared, params (SendingMeasure Measure, SendingWindow Window, long Allowed)[] limits) =>
        new([to], shared, [.. limits.Select(limit => new QuotaLimit(limit.Measure, limit.Window, limit.Allowed))], 1);

    public static Mailbox Mailbox(string text) =>
        MailboxParser.TryParse(text, out var mailbox) ? mailbox! : throw new FormatException(text);

    /// <summary>A whole message; null when it was accepted.</summary>
    public LimitReached? Send(SendingLogin login, params ImmutableArray<string> to) => Send(login, 1000, held: false, to);

    public LimitReached? Send(SendingLogin login, long bytes, bool held, params ImmutableArray<string> to)
    {
        var reached = Book.TryBegin(login, 0, out var message);
        foreach (var recipient in to)
        {
            reached ??= message!.AddRecipient(Mailbox(recipient));
        }

        reached ??= message!.SetBytes(bytes);
        if (reached is null)
        {
            message!.Committed(held);
        }
        else
        {
            message?.Release();
        }

        return reached;
    }

    public async ValueTask DisposeAsync()
    {
        await State.DisposeAsync();
        await Store.DisposeAsync();
    }
}

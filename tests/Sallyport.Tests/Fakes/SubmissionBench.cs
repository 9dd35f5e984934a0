using System.Collections.Immutable;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Hosting;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Intake;
using Sallyport.Server.Sending;
using Sallyport.Server.Submission;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Memory;

namespace Sallyport.Tests.Fakes;

/// <summary>The driver of a session as the server runs it, on a wire, a clock and a store in memory.</summary>
internal sealed class SubmissionBench : IDisposable
{
    private readonly SubmissionDriver _driver;
    private readonly CancellationTokenSource _drain = new();

    /// <param name="spool">In place of the memory store's.</param>
    /// <param name="breaker">True has the server's own watch over what is sent; without it nobody does.</param>
    public SubmissionBench(
        ListenerTls listener = ListenerTls.None, Func<ServerOptions, ServerOptions>? change = null, ScriptedDirectory? directory = null,
        ISpool? spool = null, MemoryWire? wire = null, string? nonce = null, Action<SessionState, Command>? heard = null,
        ImmutableArray<IDirectory> more = default, ISendingMonitor? watch = null, bool breaker = false,
        ImmutableArray<ContentStageFactory> stages = default)
    {
        SynchronizationContext.SetSynchronizationContext(null); // what the wire wakes runs on, at once
        Directory = directory ?? new ScriptedDirectory { Answers = new() { ["jane@acme.test"] = "ok" } };
        Wire = wire ?? new MemoryWire();
        var options = new ServerOptions
        {
            Hostname = "smtp.acme.test",
            Data = "/nowhere",
            Routes = [new RouteOptions { Recipients = ["*"], Capture = "/nowhere" }],
            Relay = new RelayOptions { MessagesInMemory = 100, MemoryBytes = 1024 * 1024 },
            Guard = new GuardOptions { Enabled = false }, // whose waits would need somebody to move the clock
        };
        options = change is null ? options : change(options);
        Site = SiteServices.OpenAsync(
            new LentStore(Store, spool), options, Log, Clock, default).GetAwaiter().GetResult();
        Site.Site.Swap(Site.NewSnapshot(options, null, [Directory, .. more.IsDefault ? [] : more], nonce));
        Services = Site.Submission with
        {
            Watch = watch ?? (breaker ? Site.Abuse.Breaker : new NoMonitor()),
            Content = stages.IsDefault ? ContentPipeline.None : new ContentPipeline(stages, Log),
        };
        _driver = new SubmissionDriver(Wire, Services, listener, "SESSION1") { Heard = heard };
        Run = _driver.RunAsync(listener == ListenerTls.Implicit ? Wire.Facts : null, _drain.Token);
    }

    public static string Login => "AUTH PLAIN AGphbmVAYWNtZS50ZXN0AHNlY3JldA==\r\n";

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 24, 8, 15, 30, TimeSpan.Zero));

    public MemoryStore Store { get; } = new();

    /// <summary>All of the server behind the session.</summary>
    public SiteServices Site { get; }

    public Handoff Handoff => Site.Handoff;

    public IdentityBooks Books => Site.Books;

    public UsageLedger Sending => Site.Sending;

    public RecordingLog Log { get; } = new();

    public ScriptedDirectory Directory { get; }

    public MemoryWire Wire { get; }

    public SubmissionServices Services { get; }

    /// <summary>Completes when the driver is done with the connection.</summary>
    public Task Run { get; }

    public bool IsClosed => Run.IsCompleted;

    public string Why => Log.Events.OfType<MailEvent.ConnectionClosed>().Single().Why;

    /// <summary>Greeting, EHLO and login, and what came of them thrown away.</summary>
    public SubmissionBench LoggedIn()
    {
        Send("EHLO laptop\r\n");
        Send(Login);
        return this;
    }

    /// <summary>Sends these octets at once; what was said since the last call comes back.</summary>
    public string Send(string text)
    {
        Wire.Send(Encoding.Latin1.GetBytes(text));
        return Wire.Take();
    }

    /// <summary>Sends them one after the other; the last answer counts.</summary>
    public string Send(params string[] texts)
    {
        var said = "";
        foreach (var text in texts)
        {
            said = Send(text);
        }

        return said;
    }

    public void Drain() => _drain.Cancel();

    /// <summary>The contents kept, header and body, in order.</summary>
    public List<string> Kept() => [.. Messages().Select(message => Content(message.Id))];

    public IReadOnlyList<SpooledMessage> Messages() =>
        Store.Spool.ListAsync(new QueueFilter(), default).AsTask().GetAwaiter().GetResult();

    public void Dispose()
    {
        Wire.Leave();
        _driver.Dispose();
        _drain.Dispose();
    }

    private string Content(QueueId id)
    {
        using var octets = new MemoryStream();
        var reader = Store.Spool.OpenContentAsync(id, default).AsTask().GetAwaiter().GetResult()!;
        while (reader.ReadAsync(default).AsTask().GetAwaiter().GetResult() is { IsEmpty: false } piece)
        {
            octets.Write(piece.Span);
        }

        return Encoding.UTF8.GetString(octets.ToArray());
    }
}

using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using MimeKit;
using Sallyport.Server.Configuration;
using Sallyport.Server.Outcomes;
using Sallyport.Server.Relay;
using Sallyport.Server.Routing;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Sallyport.Tests.Store;
using Xunit;

namespace Sallyport.Tests.Server.Relay;

/// <summary>The relay as the server runs it, on a store in memory and a clock the test moves.</summary>
internal sealed class RelayBench : IAsyncDisposable
{
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(20);

    private readonly OptionsInForce _site;

    public RelayBench(params RouteOptions[] routes)
        : this(options => options, routes)
    {
    }

    public RelayBench(Func<ServerOptions, ServerOptions> change, params RouteOptions[] routes)
        : this(spool => spool, change, routes)
    {
    }

    /// <param name="wrap">Puts something between the relay and its spool.</param>
    public RelayBench(Func<ISpool, ISpool> wrap, Func<ServerOptions, ServerOptions> change, params RouteOptions[] routes)
        : this(new WatchedClock(StoreSamples.Now), null, wrap, change, routes)
    {
    }

    public RelayBench(
        WatchedClock clock, IRoutePlanner? planner, Func<ISpool, ISpool> wrap, Func<ServerOptions, ServerOptions> change,
        params RouteOptions[] routes)
    {
        Clock = clock;
        Spool = wrap(Store.Spool);
        var options = change(new ServerOptions { Hostname = "smtp.acme.test", Data = "/nowhere", Routes = [.. routes], Timeouts = Timeouts });
        _site = new OptionsInForce(options);
        Outcomes = new OutcomeFeed(Log);
        Relay = new RelayService(
            new RelayServices(Spool, Handoff, Outcomes, Log, Clock, new NumberedIds(5000), _site)
            {
                Planner = planner ?? new SmarthostPlanner(new SystemResolver(), Clock),
            },
            new RouteTable(options.Routes));
        Relay.Start();
    }

    /// <summary>Each wait has a length of its own, so that a test can say which one it means.</summary>
    public static TimeoutOptions Timeouts { get; } = new()
    {
        RelayConnect = TimeSpan.FromSeconds(31),
        Handshake = TimeSpan.FromSeconds(32),
        RelayGreeting = TimeSpan.FromSeconds(301),
        RelayCommand = TimeSpan.FromSeconds(302),
        RelayDataBlock = TimeSpan.FromSeconds(181),
        RelayFinalDot = TimeSpan.FromSeconds(601),
    };

    public ServerOptions Options => _site.Options;

    public OutcomeFeed Outcomes { get; }

    public WatchedClock Clock { get; }

    public MemoryStore Store { get; } = new();

    public ISpool Spool { get; }

    public Handoff Handoff { get; } = new(100, 10_000_000);

    public RecordingLog Log { get; } = new();

    public RelayService Relay { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static RouteOptions To(params ScriptedHop[] hops) => To([.. hops.Select(hop => hop.Address)]);

    public static RouteOptions To(params SmarthostAddress[] hosts) =>
        new() { Recipients = ["*"], Smarthosts = [.. hosts], Tls = RelayTls.None };

    /// <summary>Another configuration in force, as a reload does it.</summary>
    public void Reload(ServerOptions options)
    {
        _site.Options = options;
        Relay.Reload(new RouteTable(options.Routes));
    }

    /// <summary>Keeps a message as a session does and hands it over as one does.</summary>
    public async Task SubmitAsync(int id, MessageRecord record, string content = "Subject: kept\r\n\r\nHello\r\n")
    {
        await using var submission = Spool.Begin(StoreSamples.Id(id));
        var octets = System.Text.Encoding.UTF8.GetBytes(content);
        var cut = content.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        await submission.WriteAsync(octets.AsMemory(cut), Cancel);
        record = record with { HasEightBit = octets.Any(octet => octet > 127), HasUtf8Header = octets[..cut].Any(octet => octet > 127) };
        var reservation = Handoff.TryReserve(octets.Length);
        var kept = Assert.IsType<CommitResult.Durable>(
            await submission.CommitAsync(record, octets.AsMemory(0, cut), reservation is not null, Cancel));
        Handoff.Offer(kept.Message with { Reservation = reservation });
    }

    /// <summary>Keeps a message as due: it is claimed and read back.</summary>
    public async Task KeepDueAsync(int id, params string[] recipients)
    {
        await Spool.KeepAsync(id, StoreSamples.Record(recipients), "Hello\r\n"u8.ToArray());
        Handoff.Wake();
    }

    public Task SubmitAsync(int id, params string[] recipients) => SubmitAsync(id, StoreSamples.Record(recipients));

    /// <summary>Moves the clock, and has the queue looked at by the new time even when the relay was just looking at it by the old.</summary>
    public void Pass(TimeSpan time)
    {
        Clock.Advance(time);
        Handoff.Wake();
    }

    /// <summary>Does it again and again until the condition holds, for what has no event to wait for.</summary>
    public static async Task UntilAsync(Action act, Func<bool> condition)
    {
        while (!condition())
        {
            Cancel.ThrowIfCancellationRequested();
            act();
            await Task.Yield();
        }
    }

    /// <summary>Moves the clock to the attempt that was announced, once all that is due now is done: reports too.</summary>
    public async Task PassToAsync(MailEvent.RecipientSettled deferred)
    {
        await Log.UntilAsync(_ => IsQuiet());
        Pass(deferred.NextAttemptAt!.Value - Clock.GetUtcNow());
    }

    public async Task<ImmutableArray<MailEvent.RecipientSettled>> SettledAsync(int count) => await Log.SettledAsync(count);

    public async Task<SpooledMessage?> FindAsync(int id) => await Spool.FindAsync(StoreSamples.Id(id), Cancel);

    /// <summary>"0 Relayed 250 2.0.0 taken in session 1" for each outcome so far.</summary>
    public async Task<IEnumerable<string>> OutcomesAsync(int count) =>
        (await SettledAsync(count)).Select(settled => $"{settled.Recipient} {settled.State}: {settled.Reply}");

    public bool IsQuiet()
    {
        var messages = Spool.ListAsync(new QueueFilter(), Cancel).AsTask().Result; // in memory: it is there at once
        return messages.SelectMany(message => message.Recipients).All(row => row.State != RecipientState.InProgress
            && (row.State != RecipientState.Due || row.NextAttemptAt > Clock.GetUtcNow()));
    }

    /// <summary>Stops the relay; a next hop that is silent to the end is waited for by the clock, which is moved here.</summary>
    public async ValueTask DisposeAsync()
    {
        var stopped = Relay.DisposeAsync().AsTask();
        while (!stopped.IsCompleted)
        {
            await Task.WhenAny(stopped, Clock.ArmedAsync(StopMax));
            Clock.Advance(StopMax);
        }

        await stopped;
        await Outcomes.DisposeAsync();
        await Store.DisposeAsync();
    }
}

/// <summary>An address nobody listens on, which nobody else gets as long as it is held.</summary>
internal sealed class DeadHost : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public DeadHost() => _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    public SmarthostAddress Address => new("127.0.0.1", ((IPEndPoint)_socket.LocalEndPoint!).Port, false);

    public void Dispose() => _socket.Dispose();
}

internal static class HopMessages
{
    /// <summary>The content as a mail program reads it.</summary>
    public static MimeMessage Parse(this HopMessage message)
    {
        using var octets = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(message.Content));
        return MimeMessage.Load(octets);
    }
}

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Sallyport.EndToEnd.Harness;

internal sealed record SinkMessage(string From, string[] Recipients, string Content)
{
    /// <summary>The value of a header field of one line; empty when there is none.</summary>
    public string Header(string name) => Content.Split("\r\n").TakeWhile(line => line.Length > 0)
        .FirstOrDefault(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..] ?? "";
}

/// <summary>A next hop without TLS that answers as a test says. It can be taken down and brought back on its port.</summary>
internal sealed class Sink : IAsyncDisposable
{
    private readonly ConcurrentQueue<SinkMessage> _messages = new();
    private readonly ConcurrentDictionary<TcpClient, Task> _sessions = new();
    private TcpListener? _listener;
    private int _connections;

    public int Port { get; } = Peers.FreePort();

    public string Greeting { get; set; } = "220 sink.test ESMTP";

    public Func<string, string> OnMail { get; set; } = _ => "250 2.1.0 Ok";

    /// <summary>Address to reply.</summary>
    public Func<string, string> OnRecipient { get; set; } = _ => "250 2.1.5 Ok";

    /// <summary>The reply to the final dot; empty to close the connection without one.</summary>
    public Func<SinkMessage, string> OnMessage { get; set; } = _ => "250 2.0.0 Taken";

    /// <summary>Messages it answered with 2xx, and those whose reply it kept to itself.</summary>
    public IReadOnlyCollection<SinkMessage> Messages => _messages;

    public int Connections => _connections;

    public static Sink Started()
    {
        var sink = new Sink();
        sink.Start();
        return sink;
    }

    public void Start()
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        _ = AcceptAsync(_listener);
    }

    public void Stop()
    {
        _listener?.Dispose();
        foreach (var client in _sessions.Keys)
        {
            client.Close();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        await Task.WhenAll(_sessions.Values);
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync();
                client.NoDelay = true;
                Interlocked.Increment(ref _connections);
                _sessions[client] = Task.Run(() => ServeAsync(client));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
            await using var writer = new StreamWriter(client.GetStream(), Encoding.Latin1) { NewLine = "\r\n", AutoFlush = true };
            await writer.WriteLineAsync(Greeting);
            await ConverseAsync(reader, writer);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The other side left, or the test took us down.
        }
        finally
        {
            client.Dispose();
            _sessions.TryRemove(client, out _);
        }
    }

    private async Task ConverseAsync(StreamReader reader, StreamWriter writer)
    {
        var from = "";
        var recipients = new List<string>();
        while (await reader.ReadLineAsync() is { } line)
        {
            var verb = line.Split(' ')[0].ToUpperInvariant();
            var address = line.Contains('<') ? line[(line.IndexOf('<') + 1)..line.IndexOf('>')] : "";
            var reply = verb switch
            {
                "EHLO" => "250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 100000000",
                "MAIL" => OnMail(from = address),
                "RCPT" => OnRecipient(address),
                "DATA" => recipients.Count > 0 ? "354 go on" : "554 5.5.1 no recipients",
                "QUIT" => "221 2.0.0 Bye",
                _ => "250 2.0.0 Ok",
            };
            if (verb is "MAIL" or "RSET")
            {
                recipients.Clear();
            }
            else if (verb == "RCPT" && reply.StartsWith('2'))
            {
                recipients.Add(address);
            }

            await writer.WriteLineAsync(reply);
            if (verb == "QUIT" || (reply.StartsWith("354", StringComparison.Ordinal)
                && !await TakeAsync(reader, writer, new SinkMessage(from, [.. recipients], ""))))
            {
                return;
            }
        }
    }

    private async Task<bool> TakeAsync(StreamReader reader, StreamWriter writer, SinkMessage message)
    {
        var content = new StringBuilder();
        while (await reader.ReadLineAsync() is { } line and not ".")
        {
            content.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
        }

        message = message with { Content = content.ToString() };
        var reply = OnMessage(message);
        if (reply.Length == 0 || reply.StartsWith('2'))
        {
            _messages.Enqueue(message);
        }

        if (reply.Length > 0)
        {
            await writer.WriteLineAsync(reply);
        }

        return reply.Length > 0;
    }
}

using System.Collections.Concurrent;
using System.Net;

namespace Sallyport.EndToEnd.Harness;

/// <summary>Takes what a webhook is posted.</summary>
internal sealed class HookListener : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<(string Body, string Signature)> _posts = new();
    private readonly Task _running;

    public HookListener()
    {
        Address = $"http://127.0.0.1:{Peers.FreePort()}/";
        _listener.Prefixes.Add(Address);
        _listener.Start();
        _running = TakeAsync();
    }

    public string Address { get; }

    public IReadOnlyCollection<(string Body, string Signature)> Posts => _posts;

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _running;
    }

    private async Task TakeAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                _posts.Enqueue((await reader.ReadToEndAsync(), context.Request.Headers["X-Sallyport-Signature"] ?? ""));
                context.Response.StatusCode = 204;
                context.Response.Close();
            }
        }
        catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
        {
            // Closed.
        }
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Server.Admin.Transport;

/// <summary>The door of a running server, through its socket.</summary>
public sealed class RemoteAdmin(string socketPath, TimeProvider time) : IAdmin
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(60);

    /// <summary>Between two parts of what takes its time; a next hop that answers no more costs doctor this at most.</summary>
    private static readonly TimeSpan PartMax = TimeSpan.FromMinutes(5);

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    })
    { BaseAddress = new Uri("http://sallyport"), Timeout = Timeout.InfiniteTimeSpan };

    public ValueTask<TAnswer> CallAsync<TRequest, TAnswer>(
        AdminOperation<TRequest, TAnswer> operation, TRequest request, CancellationToken cancel)
        where TRequest : class
        where TAnswer : class => AskAsync(operation, request, async (response, limit) =>
            await response.Content.ReadFromJsonAsync(operation.Answer, limit) ?? throw new HttpRequestException("it sent an empty answer"), cancel);

    public ValueTask<AdminPage<TItem>> PageAsync<TRequest, TItem>(
        AdminListing<TRequest, TItem> listing, TRequest request, CancellationToken cancel)
        where TRequest : class, IPagedRequest<TRequest>
        where TItem : class => AskAsync(listing, request, async (response, limit) => new AdminPage<TItem>(
            await response.Content.ReadFromJsonAsync(listing.Items, limit) ?? throw new HttpRequestException("it sent an empty answer"),
            response.Headers.TryGetValues(AdminSocket.NextHeader, out var next) ? next.First() : null), cancel);

    public async IAsyncEnumerable<TPart> StreamAsync<TRequest, TPart>(
        AdminStream<TRequest, TPart> stream, TRequest request, Stream content, [EnumeratorCancellation] CancellationToken cancel)
        where TRequest : class
        where TPart : class
    {
        using HttpContent body = stream.TakesContent ? WithContent(stream, request, content) : JsonContent.Create(request, stream.Request);
        using var response = await SayAsync(() => SendAsync(stream.Path, body, cancel));
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancel));
        while (await SayAsync(() => ReadLineAsync(reader, cancel)) is { } line)
        {
            yield return JsonSerializer.Deserialize(line, stream.Part) ?? throw new HttpRequestException("it sent an empty part");
        }
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private async ValueTask<TAnswer> AskAsync<TRequest, TAnswer>(
        AdminOperation<TRequest> operation, TRequest request, Func<HttpResponseMessage, CancellationToken, Task<TAnswer>> read,
        CancellationToken cancel)
        where TRequest : class
    {
        using var timer = new CancellationTokenSource(AnswerMax, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, timer.Token);
        try
        {
            return await SayAsync(async () =>
            {
                using var content = JsonContent.Create(request, operation.Request);
                using var response = await SendAsync(operation.Path, content, limit.Token);
                return await read(response, limit.Token);
            });
        }
        catch (OperationCanceledException exception) when (!cancel.IsCancellationRequested)
        {
            throw new HttpRequestException($"no answer within {AnswerMax.TotalSeconds} s", exception);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string path, HttpContent content, CancellationToken cancel)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri("/v1/" + path, UriKind.Relative)) { Content = content };
        var response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancel);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw response.StatusCode == HttpStatusCode.NotFound
                ? new HttpRequestException($"it does not know \"{path}\": the running server and this command are of different releases")
                : await RefusalAsync(response, cancel) is { } answer ? new AdminRefusedException(answer)
                : new HttpRequestException($"it answered {(int)response.StatusCode}");
        }
    }

    private static async Task<AdminAnswer?> RefusalAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        try
        {
            return response.Content.Headers.ContentType?.MediaType == "application/json"
                ? await response.Content.ReadFromJsonAsync(AdminJson.Default.AdminAnswer, cancel) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static StreamContent WithContent<TRequest, TPart>(AdminStream<TRequest, TPart> stream, TRequest request, Stream content)
        where TRequest : class
        where TPart : class
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(request, stream.Request);
#pragma warning disable CA2000 // The content's, and disposed with it; the file is the caller's.
        var body = new StreamContent(new RequestThenFile([.. line, (byte)'\n'], content));
#pragma warning restore CA2000
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return body;
    }

    private async Task<string?> ReadLineAsync(StreamReader reader, CancellationToken cancel)
    {
        using var timer = new CancellationTokenSource(PartMax, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, timer.Token);
        try
        {
            return await reader.ReadLineAsync(limit.Token);
        }
        catch (OperationCanceledException exception) when (!cancel.IsCancellationRequested)
        {
            throw new HttpRequestException($"nothing more within {PartMax.TotalMinutes} min", exception);
        }
    }

    private static async Task<T> SayAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (IOException exception)
        {
            throw new HttpRequestException("it broke off: " + exception.Message, exception);
        }
    }
}

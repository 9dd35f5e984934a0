using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Server.Admin.Transport;

/// <summary>The door of a running server, through its socket.</summary>
public sealed class RemoteAdmin(string socketPath) : IAdmin
{
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
    { BaseAddress = new Uri("http://sallyport"), Timeout = TimeSpan.FromSeconds(60) };

    public async ValueTask<TAnswer> CallAsync<TRequest, TAnswer>(
        AdminOperation<TRequest, TAnswer> operation, TRequest request, CancellationToken cancel)
        where TRequest : class
        where TAnswer : class
    {
        try
        {
            return await AskAsync(operation, request, cancel);
        }
        catch (IOException exception)
        {
            throw new HttpRequestException("it broke off: " + exception.Message, exception);
        }
        catch (OperationCanceledException exception) when (!cancel.IsCancellationRequested)
        {
            throw new HttpRequestException($"no answer within {_http.Timeout.TotalSeconds} s", exception);
        }
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<TAnswer> AskAsync<TRequest, TAnswer>(
        AdminOperation<TRequest, TAnswer> operation, TRequest request, CancellationToken cancel)
        where TRequest : class
        where TAnswer : class
    {
        using var content = JsonContent.Create(request, operation.Request);
        using var response = await _http.PostAsync(new Uri("/v1/" + operation.Path, UriKind.Relative), content, cancel);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            throw new HttpRequestException($"it does not know \"{operation.Path}\": the running server and this command are of different releases");
        }

        return response.IsSuccessStatusCode
            ? await response.Content.ReadFromJsonAsync(operation.Answer, cancel) ?? throw new HttpRequestException("it sent an empty answer")
            : throw new HttpRequestException($"it answered {(int)response.StatusCode}");
    }
}

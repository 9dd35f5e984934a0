using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Serialization.Metadata;

namespace Sallyport.Server.Admin;

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

    public ValueTask<ServerStatus> StatusAsync(CancellationToken cancel) => Get("/v1/status", AdminJson.Default.ServerStatus, cancel);

    public ValueTask<UserView[]> ListUsersAsync(CancellationToken cancel) => Get("/v1/users", AdminJson.Default.UserViewArray, cancel);

    public ValueTask<AdminAnswer> AddUserAsync(NewUser user, CancellationToken cancel) =>
        Send(HttpMethod.Post, "/v1/users", Body(user, AdminJson.Default.NewUser), AdminJson.Default.AdminAnswer, cancel);

    public ValueTask<AdminAnswer> RemoveUserAsync(string login, CancellationToken cancel) =>
        Send(HttpMethod.Delete, $"/v1/users/{Escape(login)}", null, AdminJson.Default.AdminAnswer, cancel);

    public ValueTask<AdminAnswer> SetPasswordAsync(string login, VerifierView verifier, CancellationToken cancel) => Send(
        HttpMethod.Put, $"/v1/users/{Escape(login)}/password", Body(verifier, AdminJson.Default.VerifierView), AdminJson.Default.AdminAnswer, cancel);

    public ValueTask<AdminAnswer> SetDisabledAsync(string login, bool disabled, CancellationToken cancel) =>
        Send(HttpMethod.Put, $"/v1/users/{Escape(login)}/{(disabled ? "disabled" : "enabled")}", null, AdminJson.Default.AdminAnswer, cancel);

    public ValueTask<QueuedView[]> ListQueueAsync(QueueQuery query, CancellationToken cancel) =>
        Send(HttpMethod.Post, "/v1/queue/query", Body(query, AdminJson.Default.QueueQuery), AdminJson.Default.QueuedViewArray, cancel);

    public async ValueTask<QueuedView?> ShowQueuedAsync(string queueId, CancellationToken cancel)
    {
        using var response = await _http.GetAsync(new Uri($"/v1/queue/{Escape(queueId)}", UriKind.Relative), cancel);
        return response.StatusCode == HttpStatusCode.NotFound ? null : await Answer(response, AdminJson.Default.QueuedView, cancel);
    }

    public ValueTask<AdminAnswer> ChangeQueuedAsync(string queueId, string action, CancellationToken cancel) =>
        Send(HttpMethod.Post, $"/v1/queue/{Escape(queueId)}/{Escape(action)}", null, AdminJson.Default.AdminAnswer, cancel);

    public ValueTask<Explanation> ExplainAsync(ExplainQuery query, CancellationToken cancel) =>
        Send(HttpMethod.Post, "/v1/explain", Body(query, AdminJson.Default.ExplainQuery), AdminJson.Default.Explanation, cancel);

    public ValueTask<LoginTrial> TryLoginAsync(LoginQuery query, CancellationToken cancel) =>
        Send(HttpMethod.Post, "/v1/auth-test", Body(query, AdminJson.Default.LoginQuery), AdminJson.Default.LoginTrial, cancel);

    public ValueTask<LoginTrial> TryTokenAsync(TokenQuery query, CancellationToken cancel) =>
        Send(HttpMethod.Post, "/v1/auth-test/token", Body(query, AdminJson.Default.TokenQuery), AdminJson.Default.LoginTrial, cancel);

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private static JsonContent Body<T>(T value, JsonTypeInfo<T> type) => JsonContent.Create(value, type);

    // Twice, since the server decodes once before it routes: a login with a slash in it must stay one segment.
    private static string Escape(string value) => Uri.EscapeDataString(Uri.EscapeDataString(value));

    private ValueTask<T> Get<T>(string path, JsonTypeInfo<T> type, CancellationToken cancel) => Send(HttpMethod.Get, path, null, type, cancel);

    private async ValueTask<T> Send<T>(HttpMethod method, string path, HttpContent? body, JsonTypeInfo<T> type, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        using var response = await _http.SendAsync(request, cancel);
        return await Answer(response, type, cancel);
    }

    private static async ValueTask<T> Answer<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancel) =>
        response.IsSuccessStatusCode
            ? await response.Content.ReadFromJsonAsync(type, cancel) ?? throw new HttpRequestException("the server sent an empty answer")
            : throw new HttpRequestException($"the server answered {(int)response.StatusCode}");
}

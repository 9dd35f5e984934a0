using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Sallyport.Server.Admin;

/// <summary>The admin API over HTTP on a Unix socket in the data directory, which only the owner may enter.</summary>
public static class AdminSocket
{
    /// <summary>The kernel's limit for the name of a socket (unix(7)).</summary>
    public const int PathBytesMax = 107;

    public static string PathIn(string data) => Path.Combine(data, "admin.sock");

    /// <summary>True when a server answers there.</summary>
    public static async ValueTask<bool> AnswersAsync(string path, CancellationToken cancel)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Answers only requests that came in by the socket: the mail listeners speak no HTTP.</summary>
    public static void Map(IEndpointRouteBuilder app, IAdmin admin)
    {
        app.MapGet("/v1/status", http => Write(http, admin.StatusAsync(http.RequestAborted), AdminJson.Default.ServerStatus));
        app.MapGet("/v1/users", http => Write(http, admin.ListUsersAsync(http.RequestAborted), AdminJson.Default.UserViewArray));
        app.MapPost("/v1/users", http => Read(http, AdminJson.Default.NewUser, user =>
            Write(http, admin.AddUserAsync(user, http.RequestAborted), AdminJson.Default.AdminAnswer)));
        app.MapDelete("/v1/users/{login}", http =>
            Write(http, admin.RemoveUserAsync(Value(http, "login"), http.RequestAborted), AdminJson.Default.AdminAnswer));
        app.MapPut("/v1/users/{login}/password", http => Read(http, AdminJson.Default.VerifierView, verifier =>
            Write(http, admin.SetPasswordAsync(Value(http, "login"), verifier, http.RequestAborted), AdminJson.Default.AdminAnswer)));
        app.MapPut("/v1/users/{login}/{state:regex(^(enabled|disabled)$)}", http => Write(
            http, admin.SetDisabledAsync(Value(http, "login"), Value(http, "state") == "disabled", http.RequestAborted),
            AdminJson.Default.AdminAnswer));
        app.MapPost("/v1/queue/query", http => Read(http, AdminJson.Default.QueueQuery, query =>
            Write(http, admin.ListQueueAsync(query, http.RequestAborted), AdminJson.Default.QueuedViewArray)));
        app.MapGet("/v1/queue/{id}", http => ShowAsync(http, admin));
        app.MapPost("/v1/queue/{id}/{action}", http => Write(
            http, admin.ChangeQueuedAsync(Value(http, "id"), Value(http, "action"), http.RequestAborted), AdminJson.Default.AdminAnswer));
        app.MapPost("/v1/explain", http => Read(http, AdminJson.Default.ExplainQuery, query =>
            Write(http, admin.ExplainAsync(query, http.RequestAborted), AdminJson.Default.Explanation)));
        app.MapPost("/v1/auth-test", http => Read(http, AdminJson.Default.LoginQuery, query =>
            Write(http, admin.TryLoginAsync(query, http.RequestAborted), AdminJson.Default.LoginTrial)));
        app.MapPost("/v1/auth-test/token", http => Read(http, AdminJson.Default.TokenQuery, query =>
            Write(http, admin.TryTokenAsync(query, http.RequestAborted), AdminJson.Default.LoginTrial)));
    }

    private static async Task ShowAsync(HttpContext http, IAdmin admin)
    {
        if (await admin.ShowQueuedAsync(Value(http, "id"), http.RequestAborted) is { } message)
        {
            await http.Response.WriteAsJsonAsync(message, AdminJson.Default.QueuedView, cancellationToken: http.RequestAborted);
        }
        else
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
        }
    }

    private static string Value(HttpContext http, string name) => Uri.UnescapeDataString((string)http.Request.RouteValues[name]!);

    private static async Task Write<T>(HttpContext http, ValueTask<T> value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        await http.Response.WriteAsJsonAsync(await value, type, cancellationToken: http.RequestAborted);

    private static async Task Read<T>(HttpContext http, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, Func<T, Task> use)
        where T : class
    {
        T? value;
        try
        {
            value = await http.Request.ReadFromJsonAsync(type, http.RequestAborted);
        }
        catch (System.Text.Json.JsonException)
        {
            value = null;
        }

        if (value is null)
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        await use(value);
    }
}

using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Admin.Transport;

/// <summary>The admin API over HTTP on a Unix socket in the data directory, which only the owner may enter.</summary>
public static class AdminSocket
{
    /// <summary>The kernel's limit for the name of a socket (unix(7)).</summary>
    public const int PathBytesMax = 107;

    public static string PathIn(string data) => Path.Combine(data, "admin.sock");

    /// <exception cref="StartException">The kernel would not take the name.</exception>
    public static void CheckPath(string data)
    {
        var socket = PathIn(data);
        if (Encoding.UTF8.GetByteCount(socket) > PathBytesMax)
        {
            throw new StartException(
                $"The path of the admin socket, {socket}, is longer than {PathBytesMax} bytes: choose a shorter data directory");
        }
    }

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
    public static void Map(IEndpointRouteBuilder app, AdminHandlers handlers)
    {
        foreach (var (path, answer) in handlers.OverJson)
        {
            app.MapPost("/v1/" + path, async http =>
            {
                using var output = new MemoryStream();
                if (!await answer(http.Request.Body, output, http.RequestAborted))
                {
                    http.Response.StatusCode = StatusCodes.Status400BadRequest;
                    return;
                }

                http.Response.ContentType = "application/json";
                http.Response.ContentLength = output.Length;
                output.Position = 0;
                await output.CopyToAsync(http.Response.Body, http.RequestAborted);
            });
        }
    }
}

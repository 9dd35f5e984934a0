using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Listening;

namespace Sallyport.Server.Admin.Transport;

/// <summary>The admin API over HTTP on a Unix socket in the data directory, which only the owner may enter.</summary>
public static class AdminSocket
{
    /// <summary>Answered with a page that another follows: what its request has as "after".</summary>
    public const string NextHeader = "Sallyport-Next";

    /// <summary>A file that comes with a request.</summary>
    private const long ContentBytesMax = 4L << 30;

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
    public static void Map(IEndpointRouteBuilder app, AdminDispatcher dispatcher)
    {
        foreach (var (path, endpoint) in dispatcher.Endpoints)
        {
            app.MapPost("/v1/" + path, async http =>
            {
                try
                {
                    await AnswerAsync(http, endpoint);
                }
                catch (AdminRefusedException refused)
                {
                    await RefuseAsync(http, refused.Answer);
                }
            });
        }
    }

    private static async Task AnswerAsync(HttpContext http, AdminEndpoint endpoint)
    {
        var cancel = http.RequestAborted;
        if (endpoint.TakesContent)
        {
            ExpectContent(http);
        }

        var peer = http.Features.Get<PeerUser>()?.Name ?? "unknown";
        var reply = await endpoint.AnswerAsync(http.Request.Body, new AdminCall(CallerHeaders.Read(http.Request.Headers, peer), cancel));
        if (reply.Next is { } next)
        {
            http.Response.Headers[NextHeader] = next;
        }

        if (reply.IsStream)
        {
            http.Response.ContentType = "application/jsonl";
            await reply.WriteAsync(http.Response.Body, cancel);
            return;
        }

        using var output = new MemoryStream();
        await reply.WriteAsync(output, cancel);
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = output.Length;
        output.Position = 0;
        await output.CopyToAsync(http.Response.Body, cancel);
    }

    /// <summary>A file may be large, come slowly, and be read by a thread of its own.</summary>
    private static void ExpectContent(HttpContext http)
    {
        http.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = ContentBytesMax;
        http.Features.GetRequiredFeature<IHttpBodyControlFeature>().AllowSynchronousIO = true;
        if (http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
    }

    private static async Task RefuseAsync(HttpContext http, AdminAnswer answer)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }

        http.Response.StatusCode = answer.Code switch
        {
            AdminCodes.Forbidden => StatusCodes.Status403Forbidden,
            _ => StatusCodes.Status400BadRequest,
        };
        http.Response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(http.Response.Body, answer, AdminJson.Default.AdminAnswer, http.RequestAborted);
    }
}

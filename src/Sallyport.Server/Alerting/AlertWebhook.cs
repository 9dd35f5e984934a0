using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Alerting;

/// <summary>Posts an alert as JSON to the configured address: within a deadline, following no redirect, reading no answer but its status.</summary>
internal sealed class AlertWebhook : IDisposable
{
    /// <summary>"sha256=" and the hexadecimal HMAC-SHA256 of the body under the secret.</summary>
    public const string SignatureHeader = "X-Sallyport-Signature";

    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    /// <param name="handler">In place of the network, for tests.</param>
    public AlertWebhook(TimeProvider time, HttpMessageHandler? handler = null)
    {
        _time = time;
#pragma warning disable CA2000 // The client's, and disposed with it.
        _http = new HttpClient(handler ?? new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, MaxConnectionsPerServer = 2 })
#pragma warning restore CA2000
        {
            Timeout = Timeout.InfiniteTimeSpan, // the deadline is ours, on our clock
        };
    }

    /// <returns>Why it did not go, and whether another try may help; empty when it went.</returns>
    public async Task<(string Trouble, bool Again)> PostAsync(Alert alert, AlertOptions options, CancellationToken cancel)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(alert, AlertJson.Default.Alert);
        using var request = new HttpRequestMessage(HttpMethod.Post, options.Webhook) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json") { CharSet = "utf-8" };
        request.Headers.UserAgent.ParseAdd("Sallyport");
        if (options.WebhookSecret is { } secret)
        {
            request.Headers.Add(SignatureHeader, Sign(secret, body));
        }

        using var limit = new CancellationTokenSource(options.WebhookTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return Judge(answer.StatusCode);
        }
        catch (HttpRequestException exception)
        {
            return (exception.InnerException?.Message ?? exception.Message, true);
        }
        catch (OperationCanceledException)
        {
            return ($"no answer within {options.WebhookTimeout.TotalSeconds:0.#} s", !cancel.IsCancellationRequested);
        }
    }

    public static string Sign(string secret, byte[] body) =>
        "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body));

    public void Dispose() => _http.Dispose();

    private static (string Trouble, bool Again) Judge(HttpStatusCode status) => (int)status switch
    {
        >= 200 and < 300 => ("", false),
        >= 300 and < 400 => ($"it answered {(int)status}, a redirect, and none is followed: name the address it leads to", false),
        408 or 429 or >= 500 => ($"it answered {(int)status}", true),
        _ => ($"it answered {(int)status}", false),
    };
}

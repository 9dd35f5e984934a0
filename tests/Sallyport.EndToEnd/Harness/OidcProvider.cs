using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Sallyport.EndToEnd.Harness;

/// <summary>npm's oidc-provider, a certified OpenID provider, issuing real access tokens.</summary>
internal sealed class OidcProvider : IAsyncDisposable
{
    private static readonly HttpClient Http = new();
    private readonly Process _process;
    private bool _stopped;

    private OidcProvider(Process process, string issuer) => (_process, Issuer) = (process, issuer);

    public string Issuer { get; }

    public static async Task<OidcProvider> StartAsync()
    {
        var node = Peers.RequireNodeModule("oidc-provider");
        var script = Path.Combine(Peers.RepositoryRoot(), "tests/Sallyport.EndToEnd/Harness/oidc-provider.js");
        var process = Process.Start(Tool.Start([node, script]))!;
        var line = await Tool.LineAsync(process);
        return line?.StartsWith("listening ", StringComparison.Ordinal) == true
            ? new OidcProvider(process, $"http://127.0.0.1:{line[10..]}")
            : throw new InvalidOperationException("oidc-provider did not start: " + await Tool.ErrorsAsync(process));
    }

    /// <summary>A token for a client of that name: email NAME@acme.test, not verified for bob.</summary>
    /// <param name="resource">urn:mail: a JWT for audience "sallyport"; urn:other: one for "other"; urn:opaque: no JWT.</param>
    public async Task<string> TokenAsync(string name = "jane", string resource = "urn:mail", string scope = "smtp")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Issuer + "/token")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["resource"] = resource,
                ["scope"] = scope,
            }),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{name}-secret")));
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode
            ? JsonDocument.Parse(text).RootElement.GetProperty("access_token").GetString()!
            : throw new InvalidOperationException("no token: " + text);
    }

    /// <summary>From now on another key signs, and the old one is gone.</summary>
    public async Task RotateAsync()
    {
        await _process.StandardInput.WriteLineAsync();
        await _process.StandardInput.FlushAsync();
        if (await Tool.LineAsync(_process) != "rotated")
        {
            throw new InvalidOperationException("oidc-provider did not rotate: " + await Tool.ErrorsAsync(_process));
        }
    }

    public async Task StopAsync()
    {
        if (!_stopped)
        {
            _stopped = true;
            _process.Kill();
            await Tool.EndAsync(_process);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Identity.Directories.Oidc;

/// <summary>The issuer cannot be asked, or answers what no issuer should; the message says which, and never has a token or secret in it.</summary>
internal sealed class ProviderException(string message) : Exception(message);

/// <summary>
/// Speaks HTTP with the issuer: within a deadline, up to a size, following no redirect, to addresses from the configuration and from the
/// issuer's own discovery document only.
/// </summary>
internal sealed class ProviderClient : IDisposable
{
    private const int ResponseBytesMax = 512 * 1024;
    private const int HeaderKibibytesMax = 32;
    private const int ConnectionsMax = 16;
    private const int DepthMax = 16;
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    private readonly OidcDirectoryOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    /// <param name="handler">In place of the network, for tests.</param>
    public ProviderClient(OidcDirectoryOptions options, TimeProvider time, HttpMessageHandler? handler = null)
    {
        (_options, _time) = (options, time);
#pragma warning disable CA2000 // The client's, and disposed with it.
        _http = new HttpClient(handler ?? NewHandler(options))
#pragma warning restore CA2000
        {
            Timeout = Timeout.InfiniteTimeSpan, // the deadline is ours, on our clock
            MaxResponseContentBufferSize = ResponseBytesMax,
        };
    }

    /// <exception cref="ProviderException">No answer in time, another status than 200, too long, or no JSON object.</exception>
    public async Task<JsonElement> GetAsync(Uri uri, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        return await SendAsync(request, cancel);
    }

    /// <summary>Posts a form as the client of the configuration (RFC 6749 §2.3.1).</summary>
    /// <exception cref="ProviderException">As with <see cref="GetAsync"/>.</exception>
    public async Task<JsonElement> PostAsync(Uri uri, Dictionary<string, string> form, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, uri) { Content = new FormUrlEncodedContent(form) };
        var credentials = $"{Uri.EscapeDataString(_options.ClientId ?? "")}:{Uri.EscapeDataString(_options.ClientSecret ?? "")}";
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
        return await SendAsync(request, cancel);
    }

    /// <summary>A member of a document that must be an address this directory may trust.</summary>
    /// <exception cref="ProviderException">Missing, or over plain HTTP.</exception>
    public Uri AddressIn(JsonElement document, string member)
    {
        if (!document.TryGetProperty(member, out var value) || value.ValueKind != JsonValueKind.String
            || !Uri.TryCreate(value.GetString(), UriKind.Absolute, out var uri))
        {
            throw new ProviderException($"the discovery document of {_options.Issuer} has no {member}");
        }

        var downgrade = uri.Scheme != Uri.UriSchemeHttps && _options.Issuer.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
        return LoopbackHost.IsTrustworthy(uri) && !downgrade
            ? uri
            : throw new ProviderException($"{member} of {_options.Issuer} is not an https:// address");
    }

    /// <summary>The discovery document (OpenID Connect Discovery 1.0 §4). It must be the configured issuer's own.</summary>
    /// <exception cref="ProviderException">It cannot be fetched, or is somebody else's.</exception>
    public async Task<JsonElement> DiscoverAsync(CancellationToken cancel)
    {
        var document = await GetAsync(new Uri(DiscoveryAddress(_options.Issuer)), cancel);
        var issuer = document.TryGetProperty("issuer", out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : "";
        return issuer == _options.Issuer
            ? document
            : throw new ProviderException($"the discovery document of {_options.Issuer} says its issuer is \"{issuer}\": set issuer to exactly that");
    }

    public static string DiscoveryAddress(string issuer) => issuer.TrimEnd('/') + "/.well-known/openid-configuration";

    /// <summary>What a document or token holds, strictly: one object, no member twice, not deep.</summary>
    /// <exception cref="JsonException">It is not that.</exception>
    public static JsonElement ParseObject(ReadOnlyMemory<byte> octets)
    {
        using var document = JsonDocument.Parse(octets, new JsonDocumentOptions { MaxDepth = DepthMax, AllowDuplicateProperties = false });
        return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : throw new JsonException("not an object");
    }

    public void Dispose() => _http.Dispose();

    private async Task<JsonElement> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        var address = request.RequestUri!.GetLeftPart(UriPartial.Path);
        request.Headers.Accept.ParseAdd("application/json");
        using var limit = new CancellationTokenSource(_options.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            using var response = await _http.SendAsync(request, either.Token).WaitAsync(either.Token);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw new ProviderException($"{address} answered {(int)response.StatusCode}{Advice(response.StatusCode)}");
            }

            return ParseObject(await response.Content.ReadAsByteArrayAsync(either.Token));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new ProviderException($"{address} did not answer within {Quantities.Show(_options.Timeout)}");
        }
        catch (HttpRequestException exception)
        {
            throw new ProviderException($"{address} cannot be asked: {exception.InnerException?.Message ?? exception.Message}");
        }
        catch (JsonException)
        {
            throw new ProviderException($"{address} answered with something that is not the JSON it should be");
        }
    }

    private static string Advice(HttpStatusCode status) => (int)status switch
    {
        401 or 403 => ": is client_id with its secret right, and may it do this?",
        >= 300 and < 400 => ", a redirect, which is not followed: set issuer to where it really is",
        404 => ": is the issuer right?",
        _ => "",
    };

    private static SocketsHttpHandler NewHandler(OidcDirectoryOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = options.Timeout,
            MaxConnectionsPerServer = ConnectionsMax,
            MaxResponseHeadersLength = HeaderKibibytesMax,
            PooledConnectionLifetime = ConnectionLifetime,
        };
        if (options.TlsCa is { } file)
        {
            handler.SslOptions.CertificateChainPolicy = AuthorityFile.OnlyTrust(AuthorityFile.Read(file));
            handler.SslOptions.CertificateChainPolicy.DisableCertificateDownloads = true;
        }

        return handler;
    }
}

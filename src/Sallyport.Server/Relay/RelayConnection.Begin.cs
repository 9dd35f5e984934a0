using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Relay;

/// <content>Up to the first transaction: greeting, EHLO, STARTTLS, AUTH.</content>
public sealed partial class RelayConnection
{
    /// <summary>SCRAM needs two, LOGIN two; more than this is no login but a loop.</summary>
    private const int ChallengesMax = 8;

    private async Task BeginAsync(RouteOptions route, string helloName, CancellationToken cancel)
    {
        if (Host.ImplicitTls)
        {
            await BeginTlsAsync(route, cancel);
        }

        Expect(await ReadReplyAsync(_timeouts.RelayGreeting, cancel), 220, "greeted us with");
        await HelloAsync(helloName, cancel);
        if (Tls.Length == 0 && route.Tls != RelayTls.None)
        {
            await SecureAsync(route, helloName, cancel);
        }

        if (route.Login is not null)
        {
            await LogInAsync(route.Login, route.Password ?? "", cancel);
        }
    }

    private async Task HelloAsync(string helloName, CancellationToken cancel)
    {
        var reply = await CommandAsync("EHLO " + helloName, _timeouts.RelayCommand, cancel);
        if (reply.Code == 250)
        {
            Capabilities = NextHopCapabilities.Read(reply);
            return;
        }

        Capabilities = NextHopCapabilities.None;
        Expect(reply.IsPermanent ? await CommandAsync("HELO " + helloName, _timeouts.RelayCommand, cancel) : reply, 250, "answered EHLO with");
    }

    private async Task SecureAsync(RouteOptions route, string helloName, CancellationToken cancel)
    {
        if (!Capabilities.StartTls)
        {
            if (route.Tls == RelayTls.May && route.Login is null)
            {
                return;
            }

            throw new HostException(RelayFailure.TlsNotOffered,
                new Reply(454, new(4, 7, 10), $"{Host} offers no STARTTLS, which this route demands"));
        }

        Expect(await CommandAsync("STARTTLS", _timeouts.RelayCommand, cancel), 220, "answered STARTTLS with");
        if (!_unread.IsEmpty)
        {
            throw new HostException(RelayFailure.ProtocolViolation,
                new Reply(454, new(4, 7, 0), $"{Host} sent data behind its answer to STARTTLS: this looks like an attack"));
        }

        await BeginTlsAsync(route, cancel);
        await HelloAsync(helloName, cancel);
    }

    private async Task BeginTlsAsync(RouteOptions route, CancellationToken cancel)
    {
        var why = SslPolicyErrors.None;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = route.TlsName ?? Host.Host,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = route.TlsCa is null ? null : OnlyTrust(route.TlsCa),
            RemoteCertificateValidationCallback = (_, _, _, errors) =>
            {
                why = errors;
                return route.Tls != RelayTls.Verify || errors == SslPolicyErrors.None;
            },
        };
        var tls = new SslStream(_stream, leaveInnerStreamOpen: false);
        _stream = tls;
        try
        {
            using var limit = new WaitLimit(_timeouts.Handshake, _time, cancel);
            await tls.AuthenticateAsClientAsync(options, limit.Token);
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException or OperationCanceledException)
        {
            var (failure, reason) = why == SslPolicyErrors.None ? (RelayFailure.TlsFailed, Innermost(exception)) : Explain(why, options.TargetHost);
            throw new HostException(failure, new Reply(454, new(4, 7, 5), $"No trusted TLS with {Host}: {reason}"));
        }

        Tls = $"{tls.SslProtocol}, {tls.NegotiatedCipherSuite}";
    }

    private async Task LogInAsync(string login, string password, CancellationToken cancel)
    {
        var binding = _stream is SslStream { RemoteCertificate: X509Certificate2 certificate }
            ? ChannelBinding.ServerEndPoint(certificate.SignatureAlgorithm.Value, certificate.RawData)
            : default;
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
        var sasl = SaslClient.Choose(Capabilities.Mechanisms, login, password, binding, nonce)
            ?? throw new HostException(RelayFailure.LoginNotOffered,
                new Reply(454, new(4, 7, 0), $"{Host} offers no login we know; this route demands one"));
        var initial = sasl.Initial();
        var reply = await CommandAsync("AUTH " + sasl.Name + (initial is null ? "" : " " + InitialResponse(initial)), _timeouts.RelayCommand, cancel);
        for (var challenges = 0; reply.Code == 334; challenges++)
        {
            if (challenges == ChallengesMax)
            {
                throw new HostException(RelayFailure.ProtocolViolation,
                    new Reply(454, new(4, 7, 0), $"{Host} does not end the login {login} of this route: it asks on and on"));
            }

            var challenge = SaslServer.DecodeBase64(Encoding.UTF8.GetBytes(reply.Lines[0])) ?? [];
            var response = sasl.Respond(challenge);
            reply = await CommandAsync(response is null ? "*" : Convert.ToBase64String(response), _timeouts.RelayCommand, cancel);
        }

        if (reply.Code != 235 || !sasl.IsSatisfied)
        {
            var failure = reply.IsTransient && reply.Code != 535 ? RelayFailure.HostBusy : RelayFailure.CredentialsRejected;
            throw new HostException(failure,
                new Reply(454, new(4, 7, 8), $"{Host} did not accept the login {login} of this route: {reply}"), reply);
        }

        Mechanism = sasl.Name;
    }

    private static X509ChainPolicy OnlyTrust(string file)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(file);
        return policy;
    }

    private static (RelayFailure Failure, string Reason) Explain(SslPolicyErrors errors, string name) =>
        errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
            ? (RelayFailure.CertificateWrongName, $"its certificate is not for {name}")
        : errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors)
            ? (RelayFailure.CertificateNotTrusted, "its certificate is not from an authority trusted here, or not valid now")
        : (RelayFailure.CertificateMissing, "it showed no certificate");

    /// <summary>"=" says that it is there and empty; later on an empty line says that (RFC 4954 §4).</summary>
    private static string InitialResponse(byte[] octets) => octets.Length == 0 ? "=" : Convert.ToBase64String(octets);
}

using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Routing;

namespace Sallyport.Server.Relay;

/// <summary>Who we are to a host: the name in EHLO, and the login the route demands.</summary>
/// <param name="Login">Null for none.</param>
internal sealed record RelayIdentity(string HelloName, string? Login, string? Password)
{
    // The compiler's version would print the password.
    public override string ToString() => $"{HelloName} {Login}";
}

/// <summary>
/// A connection up to its first transaction: greeting, EHLO, STARTTLS, AUTH. What the plan demands of the host is never given up for the sake
/// of a delivery.
/// </summary>
internal sealed class RelayOpening(SmtpWire wire, PlannedHost host, RelayIdentity us, TimeoutOptions timeouts, CancellationToken cancel)
{
    /// <summary>SCRAM needs two, LOGIN two; more than this is no login but a loop.</summary>
    private const int ChallengesMax = 8;

    public NextHopCapabilities Capabilities { get; private set; } = NextHopCapabilities.None;

    /// <summary>As in "Tls13, TLS_AES_256_GCM_SHA384"; empty without TLS.</summary>
    public string Tls { get; private set; } = "";

    /// <summary>Mechanism we logged in with; empty without a login.</summary>
    public string Mechanism { get; private set; } = "";

    public async Task RunAsync()
    {
        if (host.Tls.IsImplicit)
        {
            await BeginTlsAsync();
        }

        Expect(host, await wire.ReadReplyAsync(timeouts.RelayGreeting, cancel), 220, "greeted us with");
        await HelloAsync();
        if (Tls.Length == 0 && host.Tls.Mode != RelayTls.None)
        {
            await SecureAsync();
        }

        if (us.Login is not null)
        {
            await LogInAsync(us.Login, us.Password ?? "");
        }
    }

    public static void Expect(PlannedHost host, Reply reply, int code, string what)
    {
        if (reply.Code != code)
        {
            var failure = reply.IsTransient ? RelayFailure.HostBusy : reply.IsPermanent ? RelayFailure.HostRejectsUs : RelayFailure.ProtocolViolation;
            throw new HostException(failure, new Reply(451, new(4, 4, 0), $"{host} {what}: {reply}"), reply);
        }
    }

    private async Task HelloAsync()
    {
        var reply = await CommandAsync("EHLO " + us.HelloName);
        if (reply.Code == 250)
        {
            Capabilities = NextHopCapabilities.Read(reply);
            return;
        }

        Capabilities = NextHopCapabilities.None;
        Expect(host, reply.IsPermanent ? await CommandAsync("HELO " + us.HelloName) : reply, 250, "answered EHLO with");
    }

    private async Task SecureAsync()
    {
        if (!Capabilities.StartTls)
        {
            if (host.Tls.Mode == RelayTls.May && us.Login is null)
            {
                return;
            }

            throw new HostException(
                RelayFailure.TlsNotOffered, new Reply(454, new(4, 7, 10), $"{host} offers no STARTTLS, which this route demands"));
        }

        Expect(host, await CommandAsync("STARTTLS"), 220, "answered STARTTLS with");
        if (wire.HasUnread)
        {
            throw new HostException(RelayFailure.ProtocolViolation,
                new Reply(454, new(4, 7, 0), $"{host} sent data behind its answer to STARTTLS: this looks like an attack"));
        }

        await BeginTlsAsync();
        await HelloAsync();
    }

    private async Task BeginTlsAsync()
    {
        var why = SslPolicyErrors.None;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = host.Tls.Name,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = host.Tls.Authorities is { } file ? OnlyTrust(file) : null,
            RemoteCertificateValidationCallback = (_, _, _, errors) =>
            {
                why = errors;
                return host.Tls.Mode != RelayTls.Verify || errors == SslPolicyErrors.None;
            },
        };
        try
        {
            var tls = await wire.StartTlsAsync(options, cancel);
            Tls = $"{tls.SslProtocol}, {tls.NegotiatedCipherSuite}";
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException or OperationCanceledException)
        {
            var (failure, reason) = why == SslPolicyErrors.None
                ? (RelayFailure.TlsFailed, SmtpWire.Describe(exception))
                : Explain(why, options.TargetHost);
            throw new HostException(failure, new Reply(454, new(4, 7, 5), $"No trusted TLS with {host}: {reason}"));
        }
    }

    private async Task LogInAsync(string login, string password)
    {
        var binding = wire.Stream is SslStream { RemoteCertificate: X509Certificate2 certificate }
            ? ChannelBinding.ServerEndPoint(certificate.SignatureAlgorithm.Value, certificate.RawData)
            : default;
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
        var sasl = SaslClient.Choose(Capabilities.Mechanisms, login, password, binding, nonce) ?? throw new HostException(
            RelayFailure.LoginNotOffered, new Reply(454, new(4, 7, 0), $"{host} offers no login we know; this route demands one"));
        var initial = sasl.Initial();
        var reply = await CommandAsync("AUTH " + sasl.Name + (initial is null ? "" : " " + InitialResponse(initial)));
        for (var challenges = 0; reply.Code == 334; challenges++)
        {
            if (challenges == ChallengesMax)
            {
                throw new HostException(RelayFailure.ProtocolViolation,
                    new Reply(454, new(4, 7, 0), $"{host} does not end the login {login} of this route: it asks on and on"));
            }

            var challenge = SaslServer.DecodeBase64(Encoding.UTF8.GetBytes(reply.Lines[0])) ?? [];
            var response = sasl.Respond(challenge);
            reply = await CommandAsync(response is null ? "*" : Convert.ToBase64String(response));
        }

        if (reply.Code != 235 || !sasl.IsSatisfied)
        {
            var failure = reply.IsTransient ? RelayFailure.HostBusy : RelayFailure.CredentialsRejected;
            throw new HostException(
                failure, new Reply(454, new(4, 7, 8), $"{host} did not accept the login {login} of this route: {reply}"), reply);
        }

        Mechanism = sasl.Name;
    }

    private Task<Reply> CommandAsync(string command) => wire.CommandAsync(command, timeouts.RelayCommand, cancel);

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

using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Server.Configuration;
using Sallyport.Server.Certificates;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Certificates;

/// <summary>What our side of a TLS handshake demands, and what it lets a client cost.</summary>
public sealed class HandshakeTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(true, "smtp")]
    [InlineData(true, "http/1.1", "smtp")]
    [InlineData(false, "http/1.1")]
    [InlineData(false, "h2", "http/1.1")]
    public async Task A_client_that_offers_protocols_must_offer_ours(bool welcome, params string[] offered)
    {
        using var certificate = SelfSigned();
        var (near, far) = Connected();
        await using var server = new SslStream(near);
        await using var client = new SslStream(far);
        var serving = server.AuthenticateAsServerAsync(
            ServerCertificate.Of(certificate).OptionsFor(null, ApplicationProtocols.Submission), TestContext.Current.CancellationToken);
        var asking = client.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "smtp.acme.test",
                ApplicationProtocols = offered.Length == 0 ? null : [.. offered.Select(name => new SslApplicationProtocol(name))],
#pragma warning disable CA5359 // what is asked here is not whose certificate it is
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
            },
            TestContext.Current.CancellationToken);
        if (welcome)
        {
            await Task.WhenAll(serving, asking);
        }
        else
        {
            await Assert.ThrowsAsync<AuthenticationException>(() => serving);
            await Assert.ThrowsAnyAsync<Exception>(() => asking);
        }
    }

    [Fact]
    public void Old_versions_and_renegotiation_are_not_offered()
    {
        using var certificate = SelfSigned();
        var options = ServerCertificate.Of(certificate).OptionsFor(null, ApplicationProtocols.Submission);
        Assert.False(options.AllowRenegotiation);
        Assert.Equal(SslProtocols.Tls12 | SslProtocols.Tls13, options.EnabledSslProtocols);
    }

    [Fact]
    public void The_channel_binding_is_the_hash_the_certificate_was_signed_with()
    {
        using var sha256 = SelfSigned();
        using var sha384 = SelfSigned(HashAlgorithmName.SHA384);
        Assert.Equal(SHA256.HashData(sha256.RawData), ServerCertificate.Of(sha256).ServerEndPoint.ToArray());
        Assert.Equal(SHA384.HashData(sha384.RawData), ServerCertificate.Of(sha384).ServerEndPoint.ToArray());
    }

    [Fact]
    public void Half_done_handshakes_are_counted_and_one_too_many_is_told_to_come_again()
    {
        using var bench = new SubmissionBench(ListenerTls.StartTls, options => options with { Limits = options.Limits with { Handshakes = 1 } });
        Assert.True(bench.Services.Handshakes.TryBegin(1)); // another session's
        bench.Send("EHLO laptop\r\n");
        Assert.Equal("454 4.7.0 TLS not available now: too many handshakes, try again later\r\n", bench.Send("STARTTLS\r\n"));
        bench.Services.Handshakes.End();
        Assert.StartsWith("220 ", bench.Send("STARTTLS\r\n"));
        Assert.False(bench.Services.Handshakes.TryBegin(1));
        bench.Wire.FinishHandshake();
        Assert.True(bench.Services.Handshakes.TryBegin(1));
    }

    [Fact]
    public void A_handshake_has_one_deadline_for_all_of_it()
    {
        using var bench = new SubmissionBench(ListenerTls.StartTls);
        bench.Send("EHLO laptop\r\n");
        bench.Send("STARTTLS\r\n");
        bench.Clock.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(bench.IsClosed);
        bench.Clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(bench.IsClosed);
        Assert.Equal("the TLS handshake failed", bench.Why);
        Assert.Single(bench.Log.Events.OfType<MailEvent.TlsFailed>());
        Assert.True(bench.Services.Handshakes.TryBegin(1));
    }

    private static X509Certificate2 SelfSigned(HashAlgorithmName? signedWith = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=smtp.acme.test", key, signedWith ?? HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static (Stream Near, Stream Far) Connected()
    {
        var there = new Pipe();
        var back = new Pipe();
        return (new PipeStream(there.Reader, back.Writer), new PipeStream(back.Reader, there.Writer));
    }
}

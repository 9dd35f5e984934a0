using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Certificates;
using Sallyport.Server.Configuration;
using Sallyport.Server.Listening;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Certificates;

/// <summary>Which certificate a client is shown.</summary>
public sealed class CertificateSetTests : IDisposable
{
    private readonly ServerCertificate _acme = ServerCertificate.Of(SelfSigned("smtp.acme.test", "*.mail.acme.test"));
    private readonly ServerCertificate _other = ServerCertificate.Of(SelfSigned("smtp.other.test", "*.other.test", "xn--bcher-kva.test"));

    public void Dispose()
    {
        _acme.Leaf.Dispose();
        _other.Leaf.Dispose();
    }

    [Theory]
    [InlineData("smtp.acme.test", false)]
    [InlineData("SMTP.Other.Test.", true)]
    [InlineData("mx1.other.test", true)]
    [InlineData("a.mx1.other.test", false)]
    [InlineData("other.test", false)]
    [InlineData("b\u00fccher.test", true)]
    [InlineData("xn--bcher-kva.test", true)]
    [InlineData("nobody.test", false)]
    [InlineData("..", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void A_host_name_finds_its_own_then_a_wildcard_then_the_first(string? name, bool other) =>
        Assert.Same(other ? _other : _acme, new CertificateSet(_acme, _other).Find(name));

    [Fact]
    public void A_store_shows_the_new_set_and_tells_of_it()
    {
        var store = new CertificateStore(new CertificateSet(_acme));
        CertificateSet? told = null;
        store.Changed += set => told = set;
        var before = store.Current;
        store.Swap(new CertificateSet(_other));
        Assert.Same(_acme, before.Default); // who holds the old one keeps it
        Assert.Same(_other, store.Current.Default);
        Assert.Same(store.Current, told);
        Assert.Null(CertificateSet.Empty.Find("smtp.acme.test"));
    }

    [Theory]
    [InlineData("smtp.acme.test", "smtp.acme.test")]
    [InlineData("smtp.other.test", "smtp.other.test")]
    [InlineData("mx.other.test", "smtp.other.test")]
    [InlineData("nobody.test", "smtp.acme.test")]
    public async Task A_client_is_shown_the_certificate_of_the_name_it_asks_for_and_is_bound_to_it(string asked, string shown)
    {
        var (facts, seen) = await HandshakeAsync(new CertificateSet(_acme, _other), asked);
        Assert.Equal("CN=" + shown, seen);
        Assert.Equal((shown == "smtp.acme.test" ? _acme : _other).ServerEndPoint.ToArray(), facts.ServerEndPoint.ToArray());
    }

    private static async Task<(TlsFacts Facts, string Seen)> HandshakeAsync(CertificateSet certificates, string asked)
    {
        var (there, back) = (new Pipe(), new Pipe());
        await using var connection = new DefaultConnectionContext(
            "1", new Transport(there.Reader, back.Writer), new Transport(back.Reader, there.Writer))
        {
            RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, 1),
        };
        await using var wire = new ConnectionWire(connection, certificates, ClientCertificates.None, TimeProvider.System);
        await using var client = new SslStream(new PipeStream(back.Reader, there.Writer));
        var seen = "";
        var asking = client.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = asked,
#pragma warning disable CA5359 // what is asked here is which one it is
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    seen = certificate!.Subject;
                    return true;
                },
#pragma warning restore CA5359
            },
            TestContext.Current.CancellationToken);
        var facts = await wire.StartTlsAsync(TestContext.Current.CancellationToken);
        await asking;
        await client.WriteAsync("EHLO\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        var read = await wire.Input.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal(6, read.Buffer.Length);
        wire.Input.AdvanceTo(read.Buffer.End);
        return (facts, seen);
    }

    private static X509Certificate2 SelfSigned(string name, params string[] more)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        Array.ForEach(more, names.AddDnsName);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

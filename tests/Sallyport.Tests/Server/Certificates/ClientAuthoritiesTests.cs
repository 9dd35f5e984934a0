using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Server.Configuration;
using Sallyport.Server.Certificates;
using Xunit;

namespace Sallyport.Tests.Server.Certificates;

/// <summary>A client certificate proves something only when everything about it is right.</summary>
public sealed class ClientAuthoritiesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sallyport-ca-").FullName;
    private readonly TestAuthority _root = TestAuthority.Root();

    [Fact]
    public void A_right_certificate_says_who_its_holder_is()
    {
        using var jane = _root.Issue("CN=Jane Doe, O=Acme", names =>
        {
            names.AddEmailAddress("jane@acme.test");
            names.AddEmailAddress("jane.doe@acme.test");
            names.AddUserPrincipalName("jdoe@corp.acme.test");
            names.AddDnsName("laptop.acme.test");
        });
        var (certificate, trouble) = Verify(jane);
        Assert.Equal("", trouble);
        Assert.Equal("Jane Doe", certificate!.CommonName);
        Assert.Equal(["jane@acme.test", "jane.doe@acme.test"], certificate.Emails.ToArray());
        Assert.Equal(["jdoe@corp.acme.test"], certificate.PrincipalNames.ToArray());
        Assert.Equal(jane.GetCertHashString(HashAlgorithmName.SHA256), certificate.Fingerprint);
        Assert.Equal(jane.SerialNumber, certificate.Serial);
    }

    [Fact]
    public void What_is_wrong_with_a_certificate_is_said()
    {
        using var other = TestAuthority.Root("Other CA");
        using var sameName = TestAuthority.Root();
        Assert.Contains("no authority of client_ca", Verify(other.Issue("CN=Jane")).Trouble);
        Assert.NotEqual("", Verify(sameName.Issue("CN=Jane")).Trouble);
        Assert.Contains("expired", Verify(_root.Issue("CN=Jane", until: TestAuthority.Now.AddMinutes(-1))).Trouble);
        Assert.Contains("not valid before", Verify(_root.Issue("CN=Jane", from: TestAuthority.Now.AddMinutes(1))).Trouble);
        Assert.Contains("clientAuth", Verify(_root.Issue("CN=Jane", use: TestAuthority.ServerAuth)).Trouble);
        Assert.Contains("clientAuth", Verify(_root.Issue("CN=Jane", use: null)).Trouble);
        Assert.NotEqual("", Verify(_root.Issue("CN=Jane", extra: new X509Extension("1.2.3.4.5", [4, 0], critical: true))).Trouble);
        Assert.All(new[] { other.Certificate, sameName.Certificate }, certificate => Assert.NotEqual("", Verify(certificate).Trouble));
    }

    [Fact]
    public void A_leaf_is_no_authority()
    {
        using var jane = _root.Issue("CN=Jane", names => names.AddEmailAddress("jane@acme.test"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Boss", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(TestAuthority.ClientAuth)], false));
        using var boss = request.Create(jane.SubjectName, X509SignatureGenerator.CreateForECDsa(jane.GetECDsaPrivateKey()!),
            TestAuthority.Now.AddDays(-1), TestAuthority.Now.AddDays(1), [1, 2, 3]);
        Assert.NotEqual("", Load().Verify(boss.RawData, [jane.RawData], TestAuthority.Now).Trouble);
    }

    [Fact]
    public void An_intermediate_authority_comes_with_the_client_or_from_the_file_and_is_remembered_for_resumed_sessions()
    {
        using var below = _root.Below("Acme Phones");
        using var jane = below.Issue("CN=Jane");
        var authorities = Load();
        Assert.NotEqual("", authorities.Verify(jane.RawData, [], TestAuthority.Now).Trouble);
        Assert.Equal("", authorities.Verify(jane.RawData, [below.Certificate.RawData], TestAuthority.Now).Trouble);
        Assert.Equal("", authorities.Verify(jane.RawData, [], TestAuthority.Now).Trouble);
        Assert.Equal("", Load(more: below.Certificate.ExportCertificatePem()).Verify(jane.RawData, [], TestAuthority.Now).Trouble);
    }

    [Fact]
    public void Chains_and_names_have_limits_and_nothing_hides_in_a_name()
    {
        var authorities = Load();
        using var jane = _root.Issue("CN=Jane");
        Assert.Contains("more than", authorities.Verify(jane.RawData, [.. Enumerable.Repeat(jane.RawData, 11)], TestAuthority.Now).Trouble);
        Assert.Contains("cannot be read", authorities.Verify([1, 2, 3], [], TestAuthority.Now).Trouble);
        Assert.Contains("cannot be read", authorities.Verify(jane.RawData, [[1, 2, 3]], TestAuthority.Now).Trouble);
        Assert.Contains("alternative names", Verify(_root.Issue("CN=Jane", names => Enumerable.Range(0, 101).ToList()
            .ForEach(i => names.AddDnsName($"h{i}.test")))).Trouble);
        Assert.Contains("control characters", Verify(_root.Issue("CN=Jane", extra: Names("jane@acme.test\0.evil.test"))).Trouble);
        var deep = _root;
        List<byte[]> sent = [];
        for (var i = 0; i < 7; i++)
        {
            deep = deep.Below("Depth " + i);
            sent.Add(deep.Certificate.RawData);
        }

        Assert.Contains("longer than", authorities.Verify(deep.Issue("CN=Jane").RawData, sent, TestAuthority.Now).Trouble);
    }

    [Fact]
    public void A_name_that_is_no_DER_makes_the_certificate_unreadable() =>
        Assert.Contains("cannot be read", Verify(_root.Issue("CN=Jane", extra: new X509Extension("2.5.29.17", [0x30, 0x80, 0, 0], false))).Trouble);

    [Fact]
    public void Two_common_names_are_none()
    {
        Assert.Equal("", Verify(_root.Issue("CN=Jane, CN=Boss")).Certificate!.CommonName);
        Assert.Equal("", Verify(_root.Issue("O=Acme")).Certificate!.CommonName);
    }

    [Fact]
    public void A_revoked_certificate_is_refused_and_a_fresh_list_needs_no_restart()
    {
        using var jane = _root.Issue("CN=Jane");
        using var bob = _root.Issue("CN=Bob");
        var file = Write("crl.pem", _root.Crl(TestAuthority.Now.AddDays(7), bob));
        var authorities = Load(crl: file);
        Assert.Equal(TestAuthority.Now.AddDays(7), authorities.ListsEndAt);
        Assert.Equal("", authorities.Verify(jane.RawData, [], TestAuthority.Now).Trouble);
        Assert.Equal("it is revoked", authorities.Verify(bob.RawData, [], TestAuthority.Now).Trouble);
        Write("crl.pem", _root.Crl(TestAuthority.Now.AddDays(7), bob, jane));
        Assert.Equal("it is revoked", authorities.Verify(jane.RawData, [], TestAuthority.Now).Trouble);
        Write("crl.pem", "half a li");
        Assert.Equal("it is revoked", authorities.Verify(jane.RawData, [], TestAuthority.Now).Trouble);
    }

    [Fact]
    public void A_list_that_ended_or_is_not_the_issuers_lets_nobody_in()
    {
        using var jane = _root.Issue("CN=Jane");
        using var sameName = TestAuthority.Root();
        var ended = Load(crl: Write("ended.pem", _root.Crl(TestAuthority.Now.AddHours(-1))));
        Assert.Contains("ended", ended.Verify(jane.RawData, [], TestAuthority.Now).Trouble);
        var forged = Load(crl: Write("forged.pem", sameName.Crl(TestAuthority.Now.AddDays(1))));
        Assert.Contains("no revocation list", forged.Verify(jane.RawData, [], TestAuthority.Now).Trouble);
        Assert.Throws<CryptographicException>(() => Load(crl: Write("none.pem", "nothing")));
    }

    [Fact]
    public void An_authority_that_is_revoked_takes_its_certificates_along()
    {
        using var below = _root.Below("Acme Phones");
        using var jane = below.Issue("CN=Jane");
        var crl = _root.Crl(TestAuthority.Now.AddDays(7), below.Certificate) + "\n" + below.Crl(TestAuthority.Now.AddDays(7));
        var trouble = Load(crl: Write("crl.pem", crl)).Verify(jane.RawData, [below.Certificate.RawData], TestAuthority.Now).Trouble;
        Assert.Contains("above it is revoked", trouble);
    }

    [Fact]
    public void A_file_without_a_root_is_a_mistake()
    {
        using var below = _root.Below("Acme Phones");
        var file = Write("below.pem", below.Certificate.ExportCertificatePem());
        Assert.Throws<CryptographicException>(() => ClientAuthorities.Load(new TlsOptions("", "") { ClientCa = file }));
        Assert.Null(ClientAuthorities.Load(new TlsOptions("", "")));
    }

    public void Dispose()
    {
        _root.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private CertificateVerdict Verify(X509Certificate2 certificate) => Load().Verify(certificate.RawData, [], TestAuthority.Now);

    private ClientAuthorities Load(string more = "", string? crl = null) => ClientAuthorities.Load(new TlsOptions("", "")
    {
        ClientCa = Write("ca.pem", _root.Certificate.ExportCertificatePem() + "\n" + more),
        ClientCrl = crl,
    })!;

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static X509Extension Names(string email)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteCharacterString(UniversalTagNumber.IA5String, email, new Asn1Tag(TagClass.ContextSpecific, 1));
        }

        return new X509Extension("2.5.29.17", writer.Encode(), false);
    }
}

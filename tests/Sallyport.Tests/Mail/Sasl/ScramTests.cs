using System.Collections.Immutable;
using System.Text;
using Sallyport.Mail.Sasl;
using Xunit;

namespace Sallyport.Tests.Mail.Sasl;

/// <summary>RFC 7677 section 3, and what must not pass.</summary>
public sealed class ScramTests
{
    private static readonly ImmutableArray<string> WithoutPlus = SaslServer.Offer(SaslServer.ByPassword, canBind: false);

    private const string ClientNonce = "rOprNGfwEbeRWgbNEkqO";
    private const string ServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    private const string ClientFinal = "c=biws,r=" + ClientNonce + ServerNonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    private static readonly byte[] Salt = Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ==");
    private static readonly byte[] EndPoint = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] Salted = ScramSha256.SaltedPassword("pencil", Salt, 4096);
    private static readonly ScramVerifier Verifier = ScramSha256.Verifier(Salted, Salt, 4096);

    [Fact]
    public void The_exchange_of_RFC_7677_comes_out_octet_for_octet()
    {
        var mechanism = Scram();
        Assert.Equal(new SaslStep.AskVerifier("user", ""), mechanism.Start(Octets("n,,n=user,r=" + ClientNonce)));
        Assert.Equal($"r={ClientNonce}{ServerNonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", Challenge(mechanism.TakeVerifier(Verifier, ServerNonce)));
        Assert.Equal(new SaslStep.AskGrant("user", ""), mechanism.Receive(Octets(ClientFinal)));
        Assert.Equal("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Challenge(mechanism.Granted()));
        Assert.IsType<SaslStep.Done>(mechanism.Receive([]));
    }

    [Theory]
    [InlineData("pencil", "")]
    [InlineData("of the phone", "phone")]
    [InlineData("of the printer", "printer")]
    [InlineData("of nobody", null)]
    public void Any_of_a_logins_verifiers_with_one_salt_will_do_and_signs_itself(string password, string? keys)
    {
        var mechanism = Scram();
        mechanism.Start(Octets("n,,n=user,r=" + ClientNonce));
        var serverFirst = Challenge(mechanism.TakeVerifier(Verifier with { Also = [Keys("phone"), Keys("printer")] }, ServerNonce));
        var salted = ScramSha256.SaltedPassword(password, Salt, 4096);
        var withoutProof = $"c=biws,r={ClientNonce}{ServerNonce}";
        var authMessage = $"n=user,r={ClientNonce},{serverFirst},{withoutProof}";
        var clientKey = ScramSha256.ClientKey(salted);
        var proof = ScramSha256.Xor(clientKey, ScramSha256.Sign(System.Security.Cryptography.SHA256.HashData(clientKey), authMessage));
        var step = mechanism.Receive(Octets($"{withoutProof},p={Convert.ToBase64String(proof)}"));
        if (keys is null)
        {
            Assert.Equal(new SaslStep.Failed("user"), step);
            return;
        }

        Assert.Equal(new SaslStep.AskGrant("user", "", keys), step);
        Assert.Equal(
            "v=" + Convert.ToBase64String(ScramSha256.Sign(ScramSha256.ServerKey(salted), authMessage)), Challenge(mechanism.Granted()));

        static ScramKeys Keys(string name)
        {
            var verifier = ScramSha256.Verifier(ScramSha256.SaltedPassword("of the " + name, Salt, 4096), Salt, 4096);
            return new ScramKeys(name, verifier.StoredKey, verifier.ServerKey);
        }
    }

    [Fact]
    public void A_verifier_knows_its_password_and_no_other()
    {
        Assert.True(ScramSha256.Matches(Verifier, Salted));
        Assert.False(ScramSha256.Matches(Verifier, ScramSha256.SaltedPassword("pencil ", Salt, 4096)));
        Assert.Equal("ScramVerifier", Verifier.ToString());
    }

    [Theory]
    [InlineData("n,,")]
    [InlineData("y,,")]
    [InlineData("p=tls-unique,,")]
    [InlineData("p=tls-exporter,,")]
    [InlineData("x,,")]
    public void PLUS_takes_no_other_binding(string header) =>
        Assert.Equal(new SaslStep.Failed("user"),
            SaslServer.Create(SaslServer.ScramPlus, SaslServer.ByPassword, EndPoint, 1024)!.Start(Octets(header + "n=user,r=" + ClientNonce)));

    [Fact]
    public void PLUS_is_bound_to_the_certificate()
    {
        var mechanism = SaslServer.Create(SaslServer.ScramPlus, SaslServer.ByPassword, EndPoint, 1024)!;
        Assert.IsType<SaslStep.AskVerifier>(mechanism.Start(Octets("p=tls-server-end-point,,n=user,r=" + ClientNonce)));
        var serverFirst = Challenge(mechanism.TakeVerifier(Verifier, ServerNonce));
        var final = Final($"n=user,r={ClientNonce}", serverFirst, [.. Octets("p=tls-server-end-point,,"), .. EndPoint]);
        Assert.Equal(new SaslStep.AskGrant("user", ""), mechanism.Receive(final));
    }

    [Fact]
    public void PLUS_with_another_certificate_in_between_fails()
    {
        var mechanism = SaslServer.Create(SaslServer.ScramPlus, SaslServer.ByPassword, EndPoint, 1024)!;
        mechanism.Start(Octets("p=tls-server-end-point,,n=user,r=" + ClientNonce));
        var serverFirst = Challenge(mechanism.TakeVerifier(Verifier, ServerNonce));
        var other = Final($"n=user,r={ClientNonce}", serverFirst, [.. Octets("p=tls-server-end-point,,"), .. new byte[32]]);
        Assert.Equal(new SaslStep.Failed("user"), mechanism.Receive(other));
    }

    [Fact]
    public void A_client_that_saw_no_PLUS_where_it_was_offered_was_lied_to()
    {
        Assert.Equal(new SaslStep.Failed("user"), ScramBesidePlus().Start(Octets("y,,n=user,r=" + ClientNonce)));
        Assert.IsType<SaslStep.AskVerifier>(Scram().Start(Octets("y,,n=user,r=" + ClientNonce)));
    }

    [Theory]
    [InlineData("n,a=boss,n=user,r=" + ClientNonce, "user", "boss")]
    [InlineData("n,a=a=2Cb=3D,n=us=2Cer=3D,r=" + ClientNonce, "us,er=", "a,b=")]
    [InlineData("n,,n=user,r=" + ClientNonce + ",ext=1", "user", "")]
    public void Names_are_unescaped(string first, string login, string identity) =>
        Assert.Equal(new SaslStep.AskVerifier(login, identity), Scram().Start(Octets(first)));

    [Theory]
    [InlineData("")]
    [InlineData("n,,")]
    [InlineData("n,,n=user")]
    [InlineData("n,,r=" + ClientNonce + ",n=user")]
    [InlineData("n,,n=,r=" + ClientNonce)]
    [InlineData("n,,n=a=2,r=" + ClientNonce)]
    [InlineData("n,,n=a\u0001,r=" + ClientNonce)]
    [InlineData("n,x=boss,n=user,r=" + ClientNonce)]
    [InlineData("n,,m=new,n=user,r=" + ClientNonce)]
    [InlineData("n,,n=user,r=1234567")]
    public void What_is_no_first_message_is_malformed(string first) =>
        Assert.IsType<SaslStep.Malformed>(Scram().Start(Octets(first)));

    [Theory]
    [InlineData("", false)]
    [InlineData("c=biws", false)]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce, false)]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce + ",p=", false)]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce + ",p=AAAA", false)]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce + ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false)]
    [InlineData("c=biws,r=" + ClientNonce + ServerNonce + ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", true)]
    [InlineData("c=biws,r=" + ClientNonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", true)]
    public void A_wrong_last_message_is_malformed_or_fails(string final, bool wellFormed)
    {
        var mechanism = Scram();
        mechanism.Start(Octets("n,,n=user,r=" + ClientNonce));
        mechanism.TakeVerifier(Verifier, ServerNonce);
        Assert.IsType(wellFormed ? typeof(SaslStep.Failed) : typeof(SaslStep.Malformed), mechanism.Receive(Octets(final)));
    }

    [Fact]
    public void A_login_or_message_over_the_limit_is_malformed()
    {
        Assert.IsType<SaslStep.Malformed>(Scram(10).Start(Octets("n,,n=12345678901,r=" + ClientNonce)));
        Assert.IsType<SaslStep.Malformed>(Scram(10).Start(Octets("n,,n=user,r=" + new string('r', 600))));
    }

    /// <summary>A right client's last message for this binding.</summary>
    private static byte[] Final(string firstBare, string serverFirst, byte[] binding)
    {
        var withoutProof = $"c={Convert.ToBase64String(binding)},r={ClientNonce}{ServerNonce}";
        var signature = ScramSha256.Sign(Verifier.StoredKey.Span, $"{firstBare},{serverFirst},{withoutProof}");
        return Octets($"{withoutProof},p={Convert.ToBase64String(ScramSha256.Xor(ScramSha256.ClientKey(Salted), signature))}");
    }

    private static string Challenge(SaslStep step) => Encoding.UTF8.GetString(Assert.IsType<SaslStep.Challenge>(step).Octets.Span);

    private static byte[] Octets(string text) => Encoding.UTF8.GetBytes(text);

    private static ISaslMechanism Scram(int credentialBytesMax = 1024) =>
        SaslServer.Create(SaslServer.Scram, WithoutPlus, default, credentialBytesMax)!;

    private static ISaslMechanism ScramBesidePlus() => SaslServer.Create(SaslServer.Scram, SaslServer.ByPassword, EndPoint, 1024)!;
}

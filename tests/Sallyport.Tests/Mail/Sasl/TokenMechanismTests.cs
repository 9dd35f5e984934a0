using System.Text;
using Sallyport.Mail.Sasl;
using Xunit;

namespace Sallyport.Tests.Mail.Sasl;

/// <summary>OAUTHBEARER, XOAUTH2 and EXTERNAL as step functions.</summary>
public sealed class TokenMechanismTests
{
    private static readonly TokenService Service = new("smtp", "https://id.acme.test/.well-known/openid-configuration");

    [Theory]
    [InlineData("n,,\u0001auth=Bearer abc\u0001\u0001", "", "abc")]
    [InlineData("y,,\u0001auth=Bearer abc\u0001\u0001", "", "abc")]
    [InlineData("n,a=jane@acme.test,\u0001host=smtp.acme.test\u0001port=587\u0001auth=Bearer a.b-c_d~e+f/g==\u0001\u0001",
        "jane@acme.test", "a.b-c_d~e+f/g==")]
    [InlineData("n,a=jane=2Cdoe=3Dx,\u0001auth=bearer  abc\u0001\u0001", "jane,doe=x", "abc")]
    [InlineData("n,a=jürgen,\u0001AUTH=BEARER abc\u0001\u0001", "jürgen", "abc")]
    [InlineData("n,,\u0001x=1\u0001x=2\u0001auth=Bearer abc\u0001\u0001", "", "abc")]
    public void OAUTHBEARER_has_identity_and_token(string message, string login, string token) =>
        Assert.Equal(new SaslStep.AskToken(login, token), Create(SaslServer.OAuthBearer).Receive(Octets(message)));

    [Theory]
    [InlineData("user=jane@acme.test\u0001auth=Bearer abc\u0001\u0001", "jane@acme.test", "abc")]
    [InlineData("user=\u0001auth=Bearer abc\u0001\u0001", "", "abc")]
    public void XOAUTH2_has_user_and_token(string message, string login, string token) =>
        Assert.Equal(new SaslStep.AskToken(login, token), Create(SaslServer.XOAuth2).Receive(Octets(message)));

    [Theory]
    [InlineData("n,,\u0001auth=Digest abc\u0001\u0001")]
    [InlineData("n,,\u0001auth=Bearer a b\u0001\u0001")]
    [InlineData("n,,\u0001auth=Bearer a{b}\u0001\u0001")]
    [InlineData("n,,\u0001auth=Bearer 123456789012345678901234567890123\u0001\u0001")]
    [InlineData("n,a=123456789,\u0001auth=Bearer abc\u0001\u0001")]
    public void What_can_be_no_token_fails_like_a_wrong_one(string message) =>
        Assert.IsType<SaslStep.Failed>(Create(SaslServer.OAuthBearer, credentialBytes: 8, tokenBytes: 32).Receive(Octets(message)));

    [Fact]
    public void A_no_is_explained_in_JSON_and_then_whatever_the_client_says_is_the_end()
    {
        var mechanism = Create(SaslServer.OAuthBearer);
        mechanism.Receive(Octets("n,,\u0001auth=Bearer abc\u0001\u0001"));
        Assert.Equal("""{"status":"invalid_token","scope":"smtp","openid-configuration":"https://id.acme.test/.well-known/openid-configuration"}""",
            Text(mechanism.Denied()!));
        Assert.IsType<SaslStep.Failed>(mechanism.Receive([1]));
        Assert.IsType<SaslStep.Failed>(mechanism.Receive(Octets("n,,\u0001auth=Bearer abc\u0001\u0001")));
        Assert.Equal("""{"status":"401","schemes":"bearer","scope":"smtp"}""", Text(Create(SaslServer.XOAuth2).Denied()!));
        Assert.Null(Create(SaslServer.Plain).Denied());
    }

    [Fact]
    public void A_site_that_asks_for_no_scope_names_none() =>
        Assert.Equal("""{"status":"invalid_token","openid-configuration":"x"}""",
            Text(SaslServer.Create(SaslServer.OAuthBearer, SaslServer.All, default, 64, service: new TokenService("", "x"))!.Denied()!));

    [Theory]
    [InlineData("", "")]
    [InlineData("jane@acme.test", "jane@acme.test")]
    public void EXTERNAL_names_whom_to_act_for_or_nobody(string message, string identity)
    {
        var mechanism = Create(SaslServer.External);
        Assert.Equal(0, Assert.IsType<SaslStep.Challenge>(mechanism.Start(null)).Octets.Length);
        Assert.Equal(new SaslStep.AskCertificate(identity), mechanism.Receive(Octets(message)));
        Assert.IsType<SaslStep.Malformed>(mechanism.Receive(Octets(message)));
    }

    [Fact]
    public void EXTERNAL_takes_no_NUL_and_no_control_characters()
    {
        Assert.IsType<SaslStep.Malformed>(Create(SaslServer.External).Receive(Octets("jane\0")));
        Assert.IsType<SaslStep.Failed>(Create(SaslServer.External).Receive(Octets("jane\u0007")));
        Assert.IsType<SaslStep.Failed>(Create(SaslServer.External, credentialBytes: 8).Receive(Octets("123456789")));
    }

    [Fact]
    public void EXTERNAL_is_offered_only_with_a_certificate()
    {
        Assert.Contains(SaslServer.External, SaslServer.Offer(SaslServer.All, canBind: true, hasCertificate: true));
        Assert.DoesNotContain(SaslServer.External, SaslServer.Offer(SaslServer.All, canBind: true));
        Assert.Equal(SaslServer.All.Length, SaslServer.All.Distinct().Count());
        Assert.All(SaslServer.All, name => Assert.NotNull(SaslServer.Create(name, SaslServer.All, default, 64)));
    }

    [Fact]
    public void A_token_does_not_show_when_a_step_is_printed()
    {
        var step = Create(SaslServer.OAuthBearer).Receive(Octets("n,a=jane,\u0001auth=Bearer abc\u0001\u0001"));
        Assert.DoesNotContain("abc", step.ToString());
        Assert.DoesNotContain("abc", new Sallyport.Mail.Smtp.SessionAction.AskToken("jane", "abc").ToString());
    }

    private static ISaslMechanism Create(string name, int credentialBytes = 64, int tokenBytes = 8192) =>
        SaslServer.Create(name, SaslServer.All, default, credentialBytes, tokenBytes, Service)!;

    private static string Text(SaslStep.Challenge challenge) => Encoding.UTF8.GetString(challenge.Octets.Span);

    private static byte[] Octets(string text) => Encoding.UTF8.GetBytes(text);
}

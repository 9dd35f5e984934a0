using System.Text;
using Sallyport.Mail.Sasl;
using Xunit;

namespace Sallyport.Tests.Mail.Sasl;

public sealed class SaslServerTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("amFuZQ==", "jane")]
    [InlineData("amFuZXM=", "janes")]
    [InlineData("amFuZXNz", "janess")]
    public void Base64_is_decoded(string text, string decoded) =>
        Assert.Equal(decoded, Encoding.ASCII.GetString(SaslServer.DecodeBase64(Octets(text))!));

    [Theory]
    [InlineData("a")]
    [InlineData("amFuZQ")]
    [InlineData("amFuZQ=")]
    [InlineData("amFuZQ===")]
    [InlineData("amFuZR==")]
    [InlineData("amF=")]
    [InlineData("amFu ZQ==")]
    [InlineData("amFu\tZQ==")]
    [InlineData("amFu\nZQ==")]
    [InlineData("amFuZQ==\r")]
    [InlineData("amFuZQ==\n")]
    [InlineData(" ")]
    [InlineData("\n")]
    [InlineData("amFuZQ==amFuZQ==")]
    [InlineData("am-_")]
    [InlineData("=")]
    [InlineData("!!!!")]
    public void What_is_not_strict_base64_is_refused(string text) => Assert.Null(SaslServer.DecodeBase64(Octets(text)));

    [Fact]
    public void PLUS_is_offered_and_made_only_with_a_channel_to_bind_to()
    {
        var all = SaslServer.Offer(SaslServer.ByPassword, canBind: true);
        var unbound = SaslServer.Offer(SaslServer.ByPassword, canBind: false);
        Assert.Equal("SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN", string.Join(' ', all));
        Assert.Equal("SCRAM-SHA-256 PLAIN LOGIN", string.Join(' ', unbound));
        Assert.All(all, name => Assert.NotNull(SaslServer.Create(name, all, new byte[32], 1024)));
        Assert.All(unbound, name => Assert.NotNull(SaslServer.Create(name, unbound, default, 1024)));
        Assert.Null(SaslServer.Create(SaslServer.ScramPlus, unbound, default, 1024));
        Assert.Null(SaslServer.Create(SaslServer.Scram, [SaslServer.Plain], default, 1024));
        Assert.Null(SaslServer.Create("plain", all, default, 1024));
    }

    [Theory]
    [InlineData("\0jane\0secret", "jane", "", "secret")]
    [InlineData("boss\0jane\0secret", "jane", "boss", "secret")]
    [InlineData("\0jane\0 se cret ", "jane", "", " se cret ")]
    [InlineData("\0jürgen\0ge\u00a0heim", "jürgen", "", "ge heim")]
    public void PLAIN_has_identity_login_and_password(string message, string login, string identity, string password) =>
        Assert.Equal(new SaslStep.AskPassword(login, identity, password), Plain(1024).Receive(Octets(message)));

    [Theory]
    [InlineData("")]
    [InlineData("jane")]
    [InlineData("\0jane")]
    [InlineData("\0jane\0")]
    [InlineData("\0\0secret")]
    [InlineData("\0jane\0secret\0")]
    public void What_is_no_PLAIN_message_is_malformed(string message) => Assert.IsType<SaslStep.Malformed>(Plain(1024).Receive(Octets(message)));

    [Theory]
    [InlineData("\0123456789\0secret")]
    [InlineData("\0jane\0123456789")]
    [InlineData("123456789\0jane\0secret")]
    [InlineData("\0ja\nne\0secret")]
    [InlineData("\0jane\0sec\u0007ret")]
    public void PLAIN_with_what_can_be_no_credentials_fails_like_a_wrong_password(string message) =>
        Assert.IsType<SaslStep.Failed>(Plain(8).Receive(Octets(message)));

    [Fact]
    public void LOGIN_asks_for_what_it_was_not_given()
    {
        var waits = SaslServer.Create(SaslServer.Login, SaslServer.ByPassword, default, 1024)!;
        Assert.Equal("Username:", Challenge(waits.Start(null)));
        Assert.Equal("Password:", Challenge(waits.Receive(Octets("jane"))));
        Assert.Equal(new SaslStep.AskPassword("jane", "", "secret"), waits.Receive(Octets("secret")));
        Assert.IsType<SaslStep.Done>(waits.Granted());
        var at_once = SaslServer.Create(SaslServer.Login, SaslServer.ByPassword, default, 1024)!;
        Assert.Equal("Password:", Challenge(at_once.Start(Octets("jane"))));
        Assert.Equal(new SaslStep.AskPassword("jane", "", "secret"), at_once.Receive(Octets("secret")));
    }

    [Fact]
    public void Secrets_do_not_show_when_a_step_is_printed() =>
        Assert.DoesNotContain("secret", Plain(1024).Receive(Octets("\0jane\0secret")).ToString());

    private static ISaslMechanism Plain(int max) => SaslServer.Create(SaslServer.Plain, SaslServer.ByPassword, default, max)!;

    private static string Challenge(SaslStep step) => Encoding.UTF8.GetString(Assert.IsType<SaslStep.Challenge>(step).Octets.Span);

    private static byte[] Octets(string text) => Encoding.UTF8.GetBytes(text);
}

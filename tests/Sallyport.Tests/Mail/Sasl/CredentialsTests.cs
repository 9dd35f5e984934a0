using Sallyport.Mail.Sasl;
using Xunit;

namespace Sallyport.Tests.Mail.Sasl;

public sealed class CredentialsTests
{
    [Theory]
    [InlineData("secret", "secret")]
    [InlineData(" se cret ", " se cret ")]
    [InlineData("ge\u00a0he\u3000im", "ge he im")]
    [InlineData("Pässwörd 😀", "Pässwörd 😀")]
    [InlineData("", "")]
    public void Blanks_become_plain_and_nothing_else_changes(string text, string prepared) => Assert.Equal(prepared, Credentials.Prepare(text));

    [Theory]
    [InlineData("a\0b")]
    [InlineData("a\tb")]
    [InlineData("a\r\nb")]
    [InlineData("a\u007f")]
    [InlineData("a\u0085")]
    [InlineData("a\u2028b")]
    [InlineData("a\u2029b")]
    [InlineData("a\ufffdb")]
    public void Control_characters_are_refused(string text) => Assert.Null(Credentials.Prepare(text));

    [Fact]
    public void Invalid_UTF8_and_lone_surrogates_are_refused()
    {
        Assert.Null(Credentials.Prepare([0xFF]));
        Assert.Null(Credentials.Prepare([0xC0, 0x80]));
        Assert.Null(Credentials.Prepare("a\ud800"));
        Assert.Equal("ü", Credentials.Prepare([0xC3, 0xBC]));
    }

    [Theory]
    [InlineData("Jane@ACME.test", "jane@acme.test")]
    [InlineData("  jane ", "jane")]
    [InlineData("CN=Jane Doe/O=Acme", "cn=jane doe/o=acme")]
    [InlineData("", null)]
    [InlineData("  ", null)]
    [InlineData("ja\nne", null)]
    [InlineData("\u212Aim@acme.test", null)] // the Kelvin sign would be a k
    [InlineData("\u0130da", null)]
    [InlineData("Yıldız Öz", "yıldız öz")]
    public void A_login_is_looked_up_trimmed_and_in_lower_case(string login, string? prepared) =>
        Assert.Equal(prepared, Credentials.PrepareLogin(login));
}

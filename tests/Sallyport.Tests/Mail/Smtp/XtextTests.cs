using System.Text;
using CsCheck;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail.Smtp;

public sealed class XtextTests
{
    [Theory]
    [InlineData("jane@acme.test", "jane@acme.test")]
    [InlineData("jane+2Bx@acme.test", "jane+x@acme.test")]
    [InlineData("a+3Db", "a=b")]
    [InlineData("a+20b", "a b")]
    [InlineData("+C3+BC", "ü")]
    [InlineData("ü", "ü")]
    [InlineData("\\x{FC}@acme.test", "ü@acme.test")]
    [InlineData("\\x{1F600}", "😀")]
    [InlineData("", "")]
    public void Xtext_is_decoded(string xtext, string text) => Assert.Equal(text, Xtext.Decode(Encoding.UTF8.GetBytes(xtext)));

    [Theory]
    [InlineData("+")]
    [InlineData("a+4")]
    [InlineData("+4G")]
    [InlineData("a=b")]
    [InlineData("a b")]
    [InlineData("a\tb")]
    [InlineData("a+00b")]
    [InlineData("a+0Ab")]
    [InlineData("a+0D+0Ab")]
    [InlineData("a+7Fb")]
    [InlineData("+FF")]
    [InlineData("+C3")]
    [InlineData("\\x{A}")]
    [InlineData("\\x{D800}")]
    [InlineData("\\x{110000}")]
    [InlineData("\\x{}")]
    [InlineData("\\x{41")]
    [InlineData("\\x{ 41}")]
    [InlineData("\\x{-1}")]
    public void What_is_no_xtext_or_hides_a_control_character_is_refused(string xtext) =>
        Assert.Null(Xtext.Decode(Encoding.UTF8.GetBytes(xtext)));

    [Theory]
    [InlineData("jane+x@acme.test", "jane+2Bx@acme.test")]
    [InlineData("a=b c", "a+3Db+20c")]
    [InlineData("ü@acme.test", "\\x{FC}@acme.test")]
    public void Text_is_encoded(string text, string xtext) => Assert.Equal(xtext, Xtext.Encode(text));

    [Fact]
    public void What_is_encoded_is_decoded_to_the_same() =>
        Gen.OneOfConst("a", "+", "=", " ", "ü", "用", "😀", "@", "\\", "{", "}", "x", "2B", "~").Array[0, 20].Select(string.Concat)
            .Where(text => !text.Contains("\\x{")).Sample(text =>
            {
                var encoded = Xtext.Encode(text);
                Assert.All(encoded, c => Assert.InRange(c, '!', '~'));
                Assert.Equal(text, Xtext.Decode(Encoding.ASCII.GetBytes(encoded)));
            }, iter: 5_000, threads: 1);
}

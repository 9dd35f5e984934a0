using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Xunit;

namespace Sallyport.Tests.Mail.Policy;

public sealed class SenderPatternTests
{
    [Theory]
    [InlineData("info@acme.test", "info@acme.test", true)]
    [InlineData("INFO@Acme.test", "info@acme.test", true)]
    [InlineData("info@acme.test", "info+x@acme.test", true)]
    [InlineData("info@acme.test", "\"info+x\"@acme.test", false)]
    [InlineData("info@acme.test", "info+kim%victim.example@acme.test", false)]
    [InlineData("info@acme.test", "xinfo@acme.test", false)]
    [InlineData("*@acme.test", "anyone@acme.test", true)]
    [InlineData("@acme.test", "anyone@acme.test", true)]
    [InlineData("*@acme.test", "anyone@sub.acme.test", false)]
    [InlineData("*@acme.test", "anyone@notacme.test", false)]
    [InlineData("*@*.acme.test", "anyone@a.b.acme.test", true)]
    [InlineData("*@*.acme.test", "anyone@acme.test", false)]
    [InlineData("*@*.acme.test", "anyone@xacme.test", false)]
    [InlineData("sales-*@acme.test", "sales-north@acme.test", true)]
    [InlineData("sales-*@acme.test", "sales-@acme.test", true)]
    [InlineData("sales-*@acme.test", "sales@acme.test", false)]
    [InlineData("*-bot@acme.test", "build-bot@acme.test", true)]
    [InlineData("a*b*c@acme.test", "a-b-b-c@acme.test", true)]
    [InlineData("a*b*c@acme.test", "ac@acme.test", false)]
    [InlineData("ab*ba@acme.test", "aba@acme.test", false)]
    [InlineData("*@bücher.example", "x@xn--bcher-kva.example", true)]
    [InlineData("*", "anyone@anywhere.example", true)]
    public void A_pattern_matches_what_it_says(string pattern, string address, bool matches)
    {
        Assert.True(MailboxParser.TryParse(address, out var mailbox));
        Assert.Equal(matches, SenderPattern.Parse(pattern)!.Matches(mailbox!));
    }

    [Theory]
    [InlineData("")]
    [InlineData("acme.test")]
    [InlineData("*.acme.test")]
    [InlineData("info@")]
    [InlineData("info@*")]
    [InlineData("info@a*.test")]
    [InlineData("info@*.")]
    [InlineData("in fo@acme.test")]
    [InlineData("\"*\"@acme.test")]
    [InlineData("a@b@acme.test")]
    public void What_is_no_pattern_is_none(string text) => Assert.Null(SenderPattern.Parse(text));

    [Theory]
    [InlineData("*", "*")]
    [InlineData("@acme.test", "*@acme.test")]
    [InlineData("Sales-*@ACME.test", "sales-*@acme.test")]
    [InlineData("*@*.acme.test", "*@*.acme.test")]
    public void A_pattern_is_shown_as_it_is_read(string text, string shown) => Assert.Equal(shown, SenderPattern.Parse(text)!.ToString());
}

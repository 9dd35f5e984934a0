using System.Text;
using Sallyport.Mail.Addressing;
using Xunit;

namespace Sallyport.Tests.Mail.Addressing;

public sealed class MailboxParserTests
{
    private const string LongLabel = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"; // 63

    [Theory]
    [InlineData("jane@acme.test", "jane", "acme.test", "jane@acme.test")]
    [InlineData("Jane.Doe@ACME.Test", "Jane.Doe", "ACME.Test", "jane.doe@acme.test")]
    [InlineData("a!#$%&'*+-/?=^_`{|}~b@acme.test", "a!#$%&'*+-/?=^_`{|}~b", "acme.test", "a!#$%&'*+-/?=^_`{|}~b@acme.test")]
    [InlineData("user%other.example@acme.test", "user%other.example", "acme.test", "user%other.example@acme.test")]
    [InlineData("jane@localhost", "jane", "localhost", "jane@localhost")]
    [InlineData("jane@1.2.example", "jane", "1.2.example", "jane@1.2.example")]
    [InlineData("jane@a-b.xn--bcher-kva.example", "jane", "a-b.xn--bcher-kva.example", "jane@a-b.xn--bcher-kva.example")]
    [InlineData("\"Jane Doe\"@acme.test", "\"Jane Doe\"", "acme.test", "\"jane doe\"@acme.test")]
    [InlineData("\"a@b\"@acme.test", "\"a@b\"", "acme.test", "\"a@b\"@acme.test")]
    [InlineData("\"a\\\"b\"@acme.test", "\"a\\\"b\"", "acme.test", "\"a\\\"b\"@acme.test")]
    [InlineData("\"\"@acme.test", "\"\"", "acme.test", "\"\"@acme.test")]
    [InlineData("jane@[192.0.2.1]", "jane", "[192.0.2.1]", "jane@[192.0.2.1]")]
    [InlineData("jane@[IPv6:2001:db8::1]", "jane", "[IPv6:2001:db8::1]", "jane@[ipv6:2001:db8::1]")]
    [InlineData("jürgen@bücher.example", "jürgen", "bücher.example", "jürgen@xn--bcher-kva.example")]
    [InlineData("用户@例え.jp", "用户", "例え.jp", "用户@xn--r8jz45g.jp")]
    public void A_mailbox_is_kept_as_written_and_compared_in_its_canonical_form(string text, string localPart, string domain, string canonical)
    {
        Assert.True(MailboxParser.TryParse(text, out var mailbox));
        Assert.Equal((localPart, domain, canonical, text), (mailbox!.LocalPart, mailbox.Domain, mailbox.Canonical, mailbox.ToString()));
        Assert.Equal(domain.StartsWith('['), mailbox.IsAddressLiteral);
        Assert.Equal(text.Any(c => c > 127), mailbox.NeedsSmtpUtf8);
    }

    [Theory]
    [InlineData("", PathError.Syntax)]
    [InlineData("jane", PathError.NoDomain)]
    [InlineData("jane+=?utf-8?q?=3Ckim=40victim.example=3E=00?=@acme.test", PathError.EncodedWord)]
    [InlineData("\"=?utf-8?q?kim?=\"@acme.test", PathError.EncodedWord)]
    [InlineData("jane@acme\u3002test", PathError.LookAlike)]
    [InlineData("jane@acme\uFF0Etest", PathError.LookAlike)]
    [InlineData("jane@acme\uFF61test", PathError.LookAlike)]
    [InlineData("jane@\u212Aim.test", PathError.LookAlike)]
    [InlineData("\u212Aim@acme.test", PathError.LookAlike)]
    [InlineData("\u0130da@acme.test", PathError.LookAlike)]
    [InlineData("\"jane\"", PathError.NoDomain)]
    [InlineData("jane@", PathError.Syntax)]
    [InlineData("@acme.test", PathError.Syntax)]
    [InlineData(".jane@acme.test", PathError.Syntax)]
    [InlineData("jane.@acme.test", PathError.Syntax)]
    [InlineData("ja..ne@acme.test", PathError.Syntax)]
    [InlineData("jane doe@acme.test", PathError.NoDomain)]
    [InlineData("jane@-acme.test", PathError.Syntax)]
    [InlineData("jane@acme-.test", PathError.Syntax)]
    [InlineData("jane@.test", PathError.Syntax)]
    [InlineData("jane@acme..test", PathError.Syntax)]
    [InlineData("jane@acme.test.", PathError.Syntax)]
    [InlineData("jane@[192.0.2]", PathError.Syntax)]
    [InlineData("jane@[192.0.2.300]", PathError.Syntax)]
    [InlineData("jane@[3221225985]", PathError.Syntax)]
    [InlineData("jane@[2001:db8::1]", PathError.Syntax)]
    [InlineData("jane@[IPv6:192.0.2.1]", PathError.Syntax)]
    [InlineData("jane@[IPv6:fe80::1%eth0]", PathError.Syntax)]
    [InlineData("jane@[x400:what]", PathError.Syntax)]
    [InlineData("jane@[]", PathError.Syntax)]
    [InlineData("jane@[192.0.2.1", PathError.Syntax)]
    [InlineData("\"jane@acme.test", PathError.Syntax)]
    [InlineData("\"jane\\", PathError.Syntax)]
    [InlineData("\njane@acme.test", PathError.ForbiddenOctet)]
    [InlineData("\"ja\rne\"@acme.test", PathError.ForbiddenOctet)]
    [InlineData("\"ja\0ne\"@acme.test", PathError.ForbiddenOctet)]
    [InlineData("\"ja\\\nne\"@acme.test", PathError.ForbiddenOctet)]
    [InlineData("ja\u0085ne@acme.test", PathError.Syntax)]
    [InlineData("ja\u2028ne@acme.test", PathError.Syntax)]
    [InlineData("jane@ac\u2028me.test", PathError.Syntax)]
    [InlineData("jane@ac\u0085me.test", PathError.Syntax)]
    public void What_is_no_mailbox_is_refused_with_its_reason(string text, PathError error)
    {
        Assert.False(MailboxParser.TryParse(Encoding.UTF8.GetBytes(text), out var mailbox, out _, out var found));
        Assert.Null(mailbox);
        Assert.Equal(error, found);
    }

    [Theory]
    [InlineData(64, "acme.test", true)]
    [InlineData(65, "acme.test", false)]
    [InlineData(1, LongLabel + ".test", true)]
    [InlineData(1, LongLabel + "x.test", false)]
    [InlineData(1, LongLabel + "." + LongLabel + "." + LongLabel + "." + LongLabel, true)]
    [InlineData(1, LongLabel + "." + LongLabel + "." + LongLabel + "." + LongLabel + ".a", false)]
    public void Lengths_are_those_of_RFC_5321(int localLength, string domain, bool valid)
    {
        var text = new string('a', localLength) + "@" + domain;
        Assert.Equal(valid, MailboxParser.TryParse(Encoding.ASCII.GetBytes(text), out _, out _, out var error));
        Assert.Equal(valid ? PathError.None : PathError.TooLong, error);
        Assert.Equal(valid, MailboxParser.TryParse(text, out _));
    }

    [Theory]
    [InlineData("jane@acme.test ")]
    [InlineData(" jane@acme.test")]
    [InlineData("jane@acme.test,bob@acme.test")]
    [InlineData("<jane@acme.test>")]
    [InlineData(null)]
    public void A_whole_text_must_be_nothing_but_the_mailbox(string? text) => Assert.False(MailboxParser.TryParse(text, out _));

    [Fact]
    public void Invalid_UTF8_is_refused()
    {
        Assert.False(MailboxParser.TryParse([(byte)'a', 0xC3, (byte)'@', (byte)'b'], out _, out _, out var error));
        Assert.Equal(PathError.ForbiddenOctet, error);
    }

    [Theory]
    [InlineData("Example.COM", "example.com")]
    [InlineData("BÜCHER.example", "xn--bcher-kva.example")]
    [InlineData("a\u0000ü", null)]
    public void A_domain_has_an_ASCII_form_or_none(string domain, string? ascii) => Assert.Equal(ascii, Mailbox.ToAsciiDomain(domain));
}

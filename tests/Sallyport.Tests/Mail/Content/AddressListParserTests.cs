using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Content;
using Xunit;

namespace Sallyport.Tests.Mail.Content;

public sealed class AddressListParserTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData(" \r\n ", "")]
    [InlineData(", ,", "")]
    [InlineData("jane@acme.test", "jane@acme.test")]
    [InlineData(" <jane@acme.test>\r\n", "jane@acme.test")]
    [InlineData("Jane Doe <jane@acme.test>", "jane@acme.test")]
    [InlineData("Jane D. Doe <jane@acme.test>", "jane@acme.test")]
    [InlineData("\"Doe, Jane\" <jane@acme.test>", "jane@acme.test")]
    [InlineData("\"Jane \\\" <eve@example.net>\" <jane@acme.test>", "jane@acme.test")]
    [InlineData("Jürgen <jürgen@acme.test>", "jürgen@acme.test")]
    [InlineData("=?UTF-8?Q?J=C3=BCrgen?= <jane@acme.test>", "jane@acme.test")]
    [InlineData("jane@acme.test (Jane <eve@example.net>)", "jane@acme.test")]
    [InlineData("(a (b) \\) c) jane@acme.test", "jane@acme.test")]
    [InlineData("Jane\r\n <\r\n jane@acme.test\r\n >", "jane@acme.test")]
    [InlineData("jane@acme.test, Bob <bob@acme.test>,, \"c\"@acme.test", "jane@acme.test bob@acme.test \"c\"@acme.test")]
    [InlineData("Staff: jane@acme.test, Bob <bob@acme.test>;", "jane@acme.test bob@acme.test")]
    [InlineData("Nobody:;", "")]
    [InlineData("A: a@b;, c@d, E: e@f;", "a@b c@d e@f")]
    public void Every_mailbox_is_found(string value, string found)
    {
        var mailboxes = new List<Mailbox>();
        Assert.True(AddressListParser.TryParse(Encoding.UTF8.GetBytes(value), mailboxes));
        Assert.Equal(found, string.Join(' ', mailboxes));
    }

    [Theory]
    [InlineData("jane")]
    [InlineData("jane@")]
    [InlineData("jane@acme.test bob@acme.test")]
    [InlineData("jane@acme.test <bob@acme.test>")]
    [InlineData("<jane@acme.test> <bob@acme.test>")]
    [InlineData("<jane@acme.test> bob")]
    [InlineData("<jane@acme.test>bob@acme.test")]
    [InlineData("<jane@acme.test")]
    [InlineData("<jane@acme.test, bob@acme.test>")]
    [InlineData("<@relay.example:jane@acme.test>")]
    [InlineData("<>")]
    [InlineData("Jane <>")]
    [InlineData("\"Jane <jane@acme.test>")]
    [InlineData("\"Jane\\")]
    [InlineData("(Jane <jane@acme.test>")]
    [InlineData("jane@acme.test (")]
    [InlineData("jane@acme.test )")]
    [InlineData("jane@acme.test;")]
    [InlineData("Staff: jane@acme.test")]
    [InlineData("Staff: Inner: jane@acme.test;;")]
    [InlineData("[192.0.2.1]")]
    [InlineData("jane@acme.test\\")]
    [InlineData("jane (x)@acme.test")]
    [InlineData("jane@(x)acme.test")]
    [InlineData("jane @acme.test")]
    [InlineData("jane+=?utf-8?q?kim?=@acme.test")]
    public void What_might_be_read_in_two_ways_is_not_read(string value) =>
        Assert.False(AddressListParser.TryParse(Encoding.UTF8.GetBytes(value), []));

    [Theory]
    [InlineData(20, true)]
    [InlineData(21, false)]
    public void Comments_nest_twenty_deep_and_no_deeper(int depth, bool read) =>
        Assert.Equal(read, AddressListParser.TryParse(Encoding.ASCII.GetBytes(new string('(', depth) + new string(')', depth) + "a@b"), []));

    [Theory]
    [InlineData("Jane  D. Doe <jane@acme.test>", "Jane D. Doe")]
    [InlineData("\"Doe, \\\"J\\\"\" \r\n x<jane@acme.test>", "Doe, \"J\" x")]
    [InlineData("=?utf-8?q?a?=\r\n =?utf-8?q?b?= <jane@acme.test>", "=?utf-8?q?a?= =?utf-8?q?b?=")]
    [InlineData("Staff (all): jane@acme.test (Jane (J)), <bob@acme.test>;", "Staff|all|Jane (J)")]
    [InlineData("<jane@acme.test>", "")]
    public void Names_and_comments_are_given_without_their_quotes(string value, string names)
    {
        var found = new List<string>();
        var comments = new List<string>();
        Assert.True(AddressListParser.TryParse(Encoding.UTF8.GetBytes(value), [], null, [], found, comments));
        Assert.Equal(names, string.Join('|', found.Concat(comments).Where(name => name.Length > 0)));
    }
}

using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail.Policy;

public sealed class SenderPolicyTests
{
    private static readonly Grant Jane = new("jane", "local", ["jane@acme.test", "sales@acme.test", "jürgen@xn--bcher-kva.example"]);

    [Theory]
    [InlineData("jane@acme.test", true)]
    [InlineData("JANE@ACME.test", true)]
    [InlineData("jane+lists@acme.test", true)]
    [InlineData("jane+a+b@acme.test", true)]
    [InlineData("sales+x@acme.test", true)]
    [InlineData("jürgen@bücher.example", true)]
    [InlineData("jürgen+x@bücher.example", true)]
    [InlineData("jane@sub.acme.test", false)]
    [InlineData("jane@acme.test.example", false)]
    [InlineData("+jane@acme.test", false)]
    [InlineData("jane-x@acme.test", false)]
    [InlineData("bob+jane@acme.test", false)]
    [InlineData("\"jane+x\"@acme.test", false)]
    [InlineData("\"jane\"@acme.test", false)]
    [InlineData("bob@acme.test", false)]
    [InlineData("jane+@acme.test", true)]
    [InlineData("jane+lists.2026_a-b=c@acme.test", true)]
    [InlineData("jane+größe@acme.test", true)]
    [InlineData("jane+kim%victim.example@acme.test", false)]
    [InlineData("jane+victim.example!kim@acme.test", false)]
    [InlineData("jane+{kim}@acme.test", false)]
    [InlineData("jane+a?b@acme.test", false)]
    public void A_granted_address_and_its_subaddresses_may_be_used(string address, bool may)
    {
        Assert.Equal(may, SenderPolicy.MayUse(Jane, Box(address)));
        Assert.Equal(may, SenderPolicy.Decide(Jane, new ReversePath(Box(address))).Refusal is null);
        Assert.Equal(may, SenderPolicy.CheckAuthors(Jane, [new Author("From", Box(address))]) is null);
    }

    [Fact]
    public void The_null_path_is_anyones() => Assert.Null(SenderPolicy.Decide(new Grant("x", "local", []), ReversePath.Null).Refusal);

    [Fact]
    public void A_refusal_names_login_address_field_and_the_nearest_right_address()
    {
        var reply = Replies.SenderNotGranted(SenderPolicy.Decide(Jane, new ReversePath(Box("sale@acme.test"))).Refusal!);
        Assert.Equal("553 5.7.1 sale@acme.test in MAIL FROM is not an address of login jane; it may use sales@acme.test", reply.ToString());
        reply = Replies.SenderNotGranted(SenderPolicy.CheckAuthors(Jane,
            [new Author("From", Box("jane@acme.test")), new Author("Sender", Box("jan@acme.test"))])!);
        Assert.Equal("550 5.7.1 jan@acme.test in the Sender header is not an address of login jane; it may use jane@acme.test", reply.ToString());
    }

    [Fact]
    public void A_refusal_says_when_nothing_is_granted() =>
        Assert.EndsWith("no address is granted to it",
            Replies.SenderNotGranted(SenderPolicy.Decide(new Grant("x", "local", []), new ReversePath(Box("a@b"))).Refusal!).ToString());

    [Fact]
    public void The_nearest_is_looked_for_among_the_first_200_addresses()
    {
        var grant = new Grant("x", "local", [.. Enumerable.Range(0, 200).Select(i => $"list{i}@acme.test"), "jane@acme.test"]);
        Assert.StartsWith("list", SenderPolicy.Nearest(grant, Box("jane@acme.test")));
        Assert.True(SenderPolicy.MayUse(grant, Box("jane@acme.test")));
    }

    private static Mailbox Box(string text) => MailboxParser.TryParse(text, out var mailbox) ? mailbox! : throw new ArgumentException(text);
}

using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail.Policy;

public sealed class SenderModeTests
{
    private static readonly Grant Scanner = new("scanner", "local", ["scans@acme.test"]) { Patterns = [SenderPattern.Parse("*@devices.acme.test")!] };
    private static readonly ReversePath Boss = Path("boss@acme.test");

    [Fact]
    public void A_pattern_grants_what_it_matches_and_a_refusal_names_it_where_there_is_no_address()
    {
        Assert.Null(SenderPolicy.Decide(Scanner, Path("printer@devices.acme.test")).Refusal);
        Assert.EndsWith("it may use scans@acme.test", Replies.SenderNotGranted(SenderPolicy.Decide(Scanner, Boss).Refusal!).ToString());
        Assert.EndsWith("it may use *@devices.acme.test",
            Replies.SenderNotGranted(SenderPolicy.Decide(Scanner with { Addresses = [] }, Boss).Refusal!).ToString());
    }

    [Fact]
    public void Rewriting_keeps_what_is_granted_and_the_null_path_and_replaces_the_rest()
    {
        var rewriting = Scanner with { Mode = SenderMode.Rewrite };
        Assert.Null(SenderPolicy.Decide(rewriting, Boss).Refusal);
        Assert.Equal("<scans@acme.test>", SenderPolicy.Decide(rewriting, Boss).Path.ToString());
        Assert.Equal("<printer@devices.acme.test>", SenderPolicy.Decide(rewriting, Path("printer@devices.acme.test")).Path.ToString());
        Assert.Equal(ReversePath.Null, SenderPolicy.Decide(rewriting, ReversePath.Null).Path);
        Assert.Null(SenderPolicy.CheckAuthors(rewriting, [new Author("From", Boss.Mailbox!)]));
    }

    [Fact]
    public void A_login_without_an_address_cannot_be_rewritten_to_one()
    {
        var nobody = new Grant("scanner", "local", []) { Mode = SenderMode.Rewrite };
        Assert.Equal(553, Replies.SenderNotGranted(SenderPolicy.Decide(nobody, Boss).Refusal!).Code);
    }

    [Fact]
    public void Logging_lets_everything_pass_as_it_is()
    {
        var logging = Scanner with { Mode = SenderMode.Log };
        Assert.Null(SenderPolicy.Decide(logging, Boss).Refusal);
        Assert.Equal(Boss, SenderPolicy.Decide(logging, Boss).Path);
        Assert.Null(SenderPolicy.CheckAuthors(logging, [new Author("From", Boss.Mailbox!)]));
        Assert.Equal("From", SenderPolicy.FirstUngrantedAuthor(logging, [new Author("From", Boss.Mailbox!)])!.Value.Field);
    }

    [Theory]
    [InlineData("anna", true)]
    [InlineData(" ANNA ", true)]
    [InlineData("*", true)]
    [InlineData("group:sales", true)]
    [InlineData("group:Sales", true)]
    [InlineData("group:Sal", false)]
    [InlineData("sales", false)]
    [InlineData("bob", false)]
    public void A_rule_is_for_a_login_a_group_or_all(string to, bool isFor) =>
        Assert.Equal(isFor, new GrantRule(to, "info@acme.test", "").IsFor("anna", ["Sales"]));

    [Theory]
    [InlineData("anna", "info@acme.test", null)]
    [InlineData("group:Sales", "login:director", null)]
    [InlineData("group:", "*", "names no group")]
    [InlineData(" ", "*", "can be no login")]
    [InlineData("anna", "login:", "names no login")]
    [InlineData("anna", "acme.test", "is no address")]
    public void A_mistake_in_a_rule_is_said(string to, string granted, string? mistake)
    {
        var found = GrantRule.SubjectMistake(to) ?? GrantRule.SenderMistake(granted);
        Assert.Equal(mistake is null, found is null);
        Assert.Contains(mistake ?? "", found ?? "");
    }

    private static ReversePath Path(string address) => new(MailboxParser.TryParse(address, out var mailbox) ? mailbox : null);
}

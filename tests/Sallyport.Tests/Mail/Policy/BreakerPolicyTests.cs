using Sallyport.Mail.Policy;
using Xunit;

namespace Sallyport.Tests.Mail.Policy;

/// <summary>When a login departs from what is usual for it.</summary>
public sealed class BreakerPolicyTests
{
    private static readonly BreakerLimits Limits = new();

    [Theory]
    [InlineData(0, 40, null)]
    [InlineData(0, 41, "first_contacts_per_hour")]
    [InlineData(39, 1, null)]
    [InlineData(40, 1, "first_contacts_per_hour")]
    [InlineData(0, 100, "first_contacts_per_hour")]
    [InlineData(40, 0, null)]
    public void A_login_nobody_knows_may_write_to_so_many_new_people(int before, int asked, string? sign) =>
        Assert.Equal(sign, Judge(Facts(asked: asked) with { Hour = Fresh(before), Day = Fresh(before) }));

    [Theory]
    [InlineData(49, null)]
    [InlineData(50, "first_contacts_per_day")]
    public void However_slowly_it_goes_about_it(int within, string? sign) =>
        Assert.Equal(sign, Judge(Facts(asked: 1) with { Day = Fresh(within) }));

    [Theory]
    [InlineData(150, 0, null)]
    [InlineData(151, 0, "messages_per_hour")]
    [InlineData(10, 500, null)]
    [InlineData(10, 501, "recipients_per_hour")]
    public void Nor_may_it_send_without_end_to_those_it_knows(int messages, int recipients, string? sign) =>
        Assert.Equal(sign, Judge(Facts() with { Hour = new SendingAmount(messages - 1, recipients, 0, 0, 0) }));

    [Theory]
    [InlineData(14, 14, null)]
    [InlineData(15, 15, "bounces")]
    [InlineData(100, 40, null)]
    [InlineData(100, 41, "bounces")]
    [InlineData(1000, 41, null)]
    public void Many_recipients_that_do_not_exist_are_a_sign(int settled, int failed, string? sign) =>
        Assert.Equal(sign, Judge(Facts() with { Settled = settled, Failed = failed }));

    [Theory]
    [InlineData(5, 40, null)]
    [InlineData(6, 20, null)]
    [InlineData(6, 21, "first_contacts_per_hour")]
    public void From_many_networks_it_may_do_half_as_much_and_networks_alone_are_no_sign(int networks, int asked, string? sign)
    {
        Assert.Equal(sign, Judge(Facts(asked: asked) with { Networks = networks }));
        Assert.Null(Judge(Facts() with { Networks = 60 }));
    }

    [Theory]
    [InlineData(6, 0, 40)] // too short a history says nothing
    [InlineData(7, 0, 20)]
    [InlineData(7, 7, 28)]
    [InlineData(7, 1000, 40)] // never more new people than others, however usual
    public void Its_own_past_says_how_many_new_people_are_usual(int days, int peak, int allowed) =>
        Assert.Equal(allowed, Sign("first_contacts_per_hour", Facts() with { Usual = Usual(days, Fresh(peak)) }).Allowed);

    [Theory]
    [InlineData(0, 75)]
    [InlineData(30, 120)]
    [InlineData(1000, 600)]
    public void Its_own_past_says_how_many_messages_are_usual(int peak, int allowed) => Assert.Equal(
        allowed, Sign("messages_per_hour", Facts() with { Usual = Usual(30, new SendingAmount(peak, 0, 0, 0, 0)) }).Allowed);

    [Fact]
    public void What_the_administrator_trusts_is_no_departure()
    {
        var facts = Facts(asked: 5000) with { Trusted = new SendingAmount(10_000, 10_000, 10_000, 0, 0) };
        Assert.Null(Judge(facts));
        Assert.Equal("first_contacts_per_hour", Judge(facts with { Asked = Fresh(10_001) }));
    }

    [Fact]
    public void The_past_is_slowly_forgotten()
    {
        var usual = UsualSending.None.After(new(40, 80, 10, 1000, 0), new(20, 40, 10, 500, 0), 4);
        Assert.Equal((1, 20, 10.0, 20.0), (usual.Days, usual.PeakHour.Messages, usual.MessagesMean, usual.RecipientsMean));
        for (var day = 0; day < 60; day++)
        {
            usual = usual.After(new(1, 1, 0, 10, 0), new(1, 1, 0, 10, 0), 1);
        }

        Assert.Equal(61, usual.Days);
        Assert.InRange(usual.PeakHour.Messages, 1, 3);
        Assert.InRange(usual.MessagesMean, 1.0, 1.1);
    }

    [Fact]
    public void A_sign_says_in_words_what_it_counts() => Assert.Equal(
        "41 first contacts within an hour, 40 are let go", BreakerPolicy.Evaluate(Limits, Facts(asked: 41))!.ToString());

    private static string? Judge(BreakerFacts facts) => BreakerPolicy.Evaluate(Limits, facts)?.Name;

    private static BreakerSign Sign(string name, BreakerFacts facts) => BreakerPolicy.Signs(Limits, facts).Single(sign => sign.Name == name);

    private static BreakerFacts Facts(int asked = 0) => new(
        new SendingAmount(1, asked, asked, 0, 0), default, default, 0, 0, 1, UsualSending.None, default);

    private static SendingAmount Fresh(int count) => new(0, 0, count, 0, 0);

    private static UsualSending Usual(int days, SendingAmount peak) => new(days, peak, peak, 0, 0);
}

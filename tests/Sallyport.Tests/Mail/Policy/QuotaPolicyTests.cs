using System.Collections.Immutable;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail.Policy;

public sealed class QuotaPolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 13, 20, 10, TimeSpan.Zero);

    [Fact]
    public void Of_quotas_for_each_login_the_first_decides_and_shared_ones_all_apply()
    {
        Quota list = Of("newsletter"), staff = Of("group:Staff", shared: true), all = Of("*"), site = Of("*", shared: true);
        ImmutableArray<Quota> quotas = [list, staff, all, site];
        Assert.Equal(
            [new("login:newsletter", list), new("group:staff", staff), new("site", site)],
            QuotaPolicy.Applying(quotas, "newsletter", ["staff"]));
        Assert.Equal([new("login:jane", all), new("site", site)], QuotaPolicy.Applying(quotas, "jane", ["guests"]));
        Assert.Empty(QuotaPolicy.Applying([], "jane", []));
    }

    [Fact]
    public void Several_who_share_a_limit_are_one_subject_in_whatever_order_they_are_written()
    {
        Assert.Equal("shared:bob,group:sales,jane", SendingSubject.OfShared(["jane", "group:sales", "bob"]));
        Assert.Equal("site", SendingSubject.OfShared(["jane", "*"]));
        Assert.Equal("bob and group:sales and jane together", SendingSubject.Words("shared:bob,group:sales,jane"));
        Assert.Equal(("jane", null), (SendingSubject.LoginOf("login:jane"), SendingSubject.LoginOf("site")));
    }

    [Fact]
    public void Mail_within_the_house_is_to_the_domains_a_login_has_addresses_and_patterns_of()
    {
        var grant = new Grant("jane", "local", ["jane@acme.test", "j@example.org"])
        {
            Patterns = [SenderPattern.Parse("*@acme.example")!, SenderPattern.Parse("*@*.acme.test")!, SenderPattern.Parse("*")!],
        };
        Assert.Equal(["acme.example", "acme.test", "example.org"], QuotaPolicy.OwnDomains(grant).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(SendingMeasure.Recipients, SendingWindow.Hour, 200, 1, "login:jane",
        "450 4.7.1 Login jane may write to 200 recipients an hour; the next is free at 14:05 UTC")]
    [InlineData(SendingMeasure.FirstTimeRecipients, SendingWindow.Day, 1, 1, "group:staff",
        "450 4.7.1 Group staff may write to 1 recipient for the first time a day; the next is free at 14:05 UTC")]
    [InlineData(SendingMeasure.FirstTimeRecipients, SendingWindow.Day, 0, 1, "login:jane",
        "550 5.7.1 Login jane may write to 0 recipients for the first time a day; ask your administrator")]
    public void A_recipient_is_refused_with_the_limit_and_the_time(
        SendingMeasure measure, SendingWindow window, long allowed, long asked, string subject, string reply) =>
        Assert.Equal(reply, LimitReplies.ForRecipient(Reached(measure, window, allowed, asked, subject), Now).ToString());

    [Theory]
    [InlineData(SendingMeasure.Messages, SendingWindow.Minute, 30, 1, "site",
        "451 4.7.1 This site may send 30 messages a minute; the next is free at 14:05 UTC")]
    [InlineData(SendingMeasure.Bytes, SendingWindow.Day, 1 << 30, 5 << 20, "login:jane",
        "451 4.7.1 Login jane may send 1 GiB a day; 5 MiB are free at 14:05 UTC")]
    [InlineData(SendingMeasure.Bytes, SendingWindow.Day, 1 << 20, 5 << 20, "login:jane",
        "552 5.3.4 Login jane may send 1 MiB a day; this message has 5 MiB")]
    [InlineData(SendingMeasure.Messages, SendingWindow.Day, 0, 1, "login:jane",
        "550 5.7.1 Login jane may send 0 messages a day; ask your administrator")]
    public void A_message_is_refused_with_the_limit_and_the_time(
        SendingMeasure measure, SendingWindow window, long allowed, long asked, string subject, string reply) =>
        Assert.Equal(reply, LimitReplies.ForMessage(Reached(measure, window, allowed, asked, subject), Now).ToString());

    [Theory]
    [InlineData(SendingWindow.AtOnce, 20, false,
        "454 4.7.0 Login jane may have 20 connections at once; the next is free when one of those under way ends")]
    [InlineData(SendingWindow.Minute, 60, true, "454 4.7.0 Login jane may log in 60 times a minute; the next is free at 14:05 UTC")]
    public void A_login_is_refused_so_that_no_client_asks_for_another_password(SendingWindow window, long allowed, bool hasTime, string reply)
    {
        var reached = Reached(SendingMeasure.Connections, window, allowed, 1, "login:jane");
        Assert.Equal(reply, LimitReplies.ForLogin(hasTime ? reached : reached with { FreeAt = null }, Now).ToString());
    }

    [Theory]
    [InlineData("2026-11-24T13:20:45Z", "13:20:45 UTC")]
    [InlineData("2026-11-24T14:04:01Z", "14:05 UTC")]
    [InlineData("2026-11-24T14:05:00Z", "14:05 UTC")]
    [InlineData("2026-11-24T23:59:30Z", "2026-11-25 00:00 UTC")]
    [InlineData("2026-11-25T08:00:00Z", "2026-11-25 08:00 UTC")]
    public void A_time_is_never_told_before_it_is_true(string at, string told) =>
        Assert.Equal(told, QuotaPolicy.At(DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture), Now));

    private static LimitReached Reached(SendingMeasure measure, SendingWindow window, long allowed, long asked, string subject) =>
        new(subject, new(measure, window, allowed), allowed, asked, new DateTimeOffset(2026, 11, 24, 14, 4, 30, TimeSpan.Zero));

    private static Quota Of(string to, bool shared = false) => new([to], shared, [], 1);
}

using Sallyport.Mail.Policy;
using Sallyport.Server.Admin.Handlers;
using Sallyport.Server.Admin.Operations;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Admin;

/// <summary>sallyport limits, and what explain says of them.</summary>
public sealed class LimitAdminTests : IAsyncDisposable
{
    private const string Jane = "jane@acme.test";

    private readonly SubmissionBench _bench = new SubmissionBench(change: options => options with
    {
        Quotas =
        [
            new Quota(["group:Staff"], true, [new(SendingMeasure.Messages, SendingWindow.Day, 9)], 3),
            new Quota(["*"], false, [new(SendingMeasure.Messages, SendingWindow.Hour, 1)], 7),
        ],
    }).LoggedIn();

    private readonly LocalAdmin _admin;

    public LimitAdminTests() => _admin = new LocalAdmin(_bench.Site.ForAdmin(_bench.Clock.GetUtcNow()));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _admin.DisposeAsync();
        _bench.Dispose();
    }

    [Fact]
    public async Task A_login_is_shown_with_the_quota_that_applies_and_what_it_has_used()
    {
        Send();
        var shown = await _admin.CallAsync(LimitOperations.Show, new LimitSubject("login", "Jane@Acme.test"), Cancel);
        Assert.Equal((null, "[[quota]] in line 7 for *", 0, 1), (shown.Problem, Assert.Single(shown.Quotas), shown.Networks - 1, shown.Contacts));
        Assert.Equal(new LimitView("login:" + Jane, "messages", "hour", 1, 1, new(2026, 11, 24, 9, 16, 0, TimeSpan.Zero)), shown.Limits[0]);
        Assert.Contains(new LimitView("login:" + Jane, "recipients", "day", 1, null, null), shown.Limits);
        var site = await _admin.CallAsync(LimitOperations.Show, new LimitSubject("site", ""), Cancel);
        Assert.Contains(new LimitView("site", "messages", "day", 1, null, null), site.Limits);
        var group = await _admin.CallAsync(LimitOperations.Show, new LimitSubject("group", "staff"), Cancel);
        Assert.Equal(new LimitView("group:staff", "messages", "day", 0, 9, null), Assert.Single(group.Limits));
    }

    [Fact]
    public async Task A_login_nobody_knows_is_shown_as_that()
    {
        _bench.Directory.Answers["eve"] = "unknown";
        Assert.Equal("unknown login", (await _admin.CallAsync(LimitOperations.Show, new LimitSubject("login", "eve"), Cancel)).Problem);
        var wrong = await _admin.CallAsync(LimitOperations.Reset, new LimitSubject("login", "\0"), Cancel);
        Assert.Equal((false, "\"?\" is not a valid login or group"), (wrong.Done, wrong.Message));
    }

    [Fact]
    public async Task Explain_says_when_and_a_reset_lets_it_pass()
    {
        var query = new ExplainQuery(Jane, Jane, "bob@example.com");
        Assert.True((await _admin.CallAsync(ExplainOperations.Explain, query, Cancel)).Accepted);
        Send();
        var refused = await _admin.CallAsync(ExplainOperations.Explain, query, Cancel);
        Assert.Equal("451 4.7.1 Login jane@acme.test may send 1 message an hour; the next is free at 09:16 UTC",
            Assert.Single(refused.Steps, step => step.Rule == "limits").Because);
        Assert.True((await _admin.CallAsync(LimitOperations.Reset, new LimitSubject("login", Jane), Cancel)).Done);
        Assert.True((await _admin.CallAsync(ExplainOperations.Explain, query, Cancel)).Accepted);
        Send();
        Assert.Equal(
            ["site", "login:" + Jane], (await _admin.CallAsync(LimitOperations.List, EmptyRequest.Instance, Cancel)).Select(one => one.Subject));
    }

    private void Send() => Assert.StartsWith("250", _bench.Send(
        $"MAIL FROM:<{Jane}>\r\n", "RCPT TO:<bob@example.com>\r\n", "DATA\r\n", "Subject: x\r\n\r\nHello\r\n.\r\n"));
}

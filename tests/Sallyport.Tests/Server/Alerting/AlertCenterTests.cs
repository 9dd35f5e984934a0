using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Alerting;
using Sallyport.Server.Configuration;
using Sallyport.Server.Intake;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Alerting;

/// <summary>Alerts: by mail and webhook, without a flood, and without keeping anybody waiting.</summary>
public sealed class AlertCenterTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _clock = new(Now);
    private readonly MemoryStore _store = new();
    private readonly Signal _logged = new();
    private readonly List<MailEvent.AlertSent> _sent = [];
    private readonly ScriptedHook _hook = new();
    private readonly AlertCenter _center;
    private readonly OptionsInForce _site = new();

    public AlertCenterTests()
    {
        Options = new() { Mail = ["postmaster@acme.test"], Webhook = new Uri("https://chat.acme.test/hook"), WebhookSecret = "s3" };
        var mail = new AlertMail(_store.Spool, new Handoff(10, 1000), new NumberedIds(0), ContentPipeline.None, _clock);
        _center = new AlertCenter(_site, mail, new AlertWebhook(_clock, _hook), new Log(this), _clock);
    }

    private AlertOptions Options
    {
        get => _site.Options.Alert;
        set => _site.Options = _site.Options with { Alert = value };
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _center.DisposeAsync();
        _hook.Dispose();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task An_alert_goes_by_mail_and_webhook_with_all_that_is_known()
    {
        _center.Tell(Tripped("jane@acme.test"));
        await UntilAsync(() => _sent.Count == 2);
        Assert.All(_sent, sent => Assert.Equal("", sent.Trouble));
        var message = Assert.Single(await _store.Spool.ListAsync(new QueueFilter(), Cancel));
        Assert.Equal(("", "<>", "<postmaster@acme.test>"), (message.Record.Login, message.Record.Envelope.ReversePath.ToString(),
            message.Recipients[0].Path.ToString()));
        var text = Encoding.ASCII.GetString((await _store.Spool.ReadAsync(1, Cancel))!);
        Assert.Contains("From: Sallyport <postmaster@smtp.acme.test>\r\n", text);
        Assert.Contains("Subject: [Sallyport] jane@acme.test is stopped\r\n", text);
        Assert.Contains("Auto-Submitted: auto-generated\r\n", text);
        Assert.Contains("Networks    198.51.100.7", text);
        Assert.Contains("    sallyport hold drop jane@acme.test\r\n", text);
        var (body, signature) = Assert.Single(_hook.Posted);
        Assert.Equal(AlertWebhook.Sign("s3", Encoding.UTF8.GetBytes(body)), signature);
        Assert.Equal(
            "{'kind':'breaker_tripped','about':'jane@acme.test','server':'smtp.acme.test','at':'2026-11-24T08:15:30+00:00',"
            + "'summary':'jane@acme.test is stopped','commands':['sallyport hold drop jane@acme.test'],'evidence':{"
            + "'sign':'first_contacts_per_hour','count':41,'allowed':40,'usual':3,'client':'198.51.100.7','networks':['198.51.100.7'],"
            + "'recipients':['a@example.com'],'held_messages':2}}", body.Replace('"', '\''));
    }

    [Fact]
    public async Task What_happens_again_is_gathered_until_the_cool_down_is_over()
    {
        Options = Options with { Mail = [] };
        _center.Tell(Tripped("jane@acme.test"));
        _center.Tell(Tripped("jane@acme.test"));
        for (var i = 0; i < 100; i++)
        {
            _center.Tell(Tripped($"u{i}@acme.test"));
        }

        await UntilAsync(() => _sent.Count == AlertCenter.AloneMax);
        _clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(AlertCenter.AloneMax, _hook.Posted.Count);
        _clock.Advance(TimeSpan.FromMinutes(1));
        await UntilAsync(() => _sent.Count == AlertCenter.AloneMax + 1);
        using var gathered = JsonDocument.Parse(_hook.Posted[^1].Body);
        Assert.Equal("97 more", gathered.RootElement.GetProperty("about").GetString());
        Assert.Equal(97, gathered.RootElement.GetProperty("others_count").GetInt32());
        Assert.Equal(AlertCenter.OthersMax, gathered.RootElement.GetProperty("others").GetArrayLength());
        _center.Tell(Tripped("jane@acme.test"));
        await UntilAsync(() => _sent.Count == AlertCenter.AloneMax + 2);
        Assert.Equal("jane@acme.test", _sent[^1].About);
    }

    [Fact]
    public async Task A_webhook_that_is_down_is_tried_a_few_times_with_growing_waits_and_then_logged()
    {
        Options = Options with { Mail = [], WebhookTries = 3 };
        _hook.Answer = () => HttpStatusCode.BadGateway;
        _center.Tell(Tripped("jane@acme.test"));
        await _hook.PostsAsync(1);
        await AdvanceUntilAsync(2);
        await AdvanceUntilAsync(3);
        await UntilAsync(() => _sent.Count == 1);
        Assert.Equal("it answered 502", _sent[0].Trouble);
        Assert.Equal(3, _hook.Posted.Count);
    }

    [Theory]
    [InlineData(HttpStatusCode.Found, "it answered 302, a redirect, and none is followed: name the address it leads to")]
    [InlineData(HttpStatusCode.Forbidden, "it answered 403")]
    public async Task What_another_try_would_not_change_is_not_tried_again(HttpStatusCode status, string trouble)
    {
        Options = Options with { Mail = [] };
        _hook.Answer = () => status;
        _center.Tell(Tripped("jane@acme.test"));
        await UntilAsync(() => _sent.Count == 1);
        Assert.Equal(trouble, _sent[0].Trouble);
        Assert.Single(_hook.Posted);
    }

    [Fact]
    public async Task A_webhook_that_never_answers_holds_up_neither_mail_nor_whoever_raises_alerts()
    {
        Options = Options with { CoolDown = TimeSpan.FromSeconds(1), WebhookTries = 1 };
        _hook.Hangs = true;
        for (var i = 0; i < 4; i++)
        {
            _center.Tell(Tripped($"u{i}@acme.test"));
        }

        await UntilAsync(() => _sent.Count(sent => sent.Way == "mail") == 4);
        Assert.Equal(4, (await _store.Spool.TotalsAsync(Cancel)).Messages);
    }

    [Fact]
    public async Task A_test_says_what_came_of_each_way()
    {
        _hook.Answer = () => HttpStatusCode.NotFound;
        var outcomes = await _center.TestAsync(Cancel);
        Assert.Equal([new("mail", "postmaster@acme.test", ""), new AlertOutcome("webhook", "https://chat.acme.test", "it answered 404")], outcomes);
        Options = new AlertOptions();
        Assert.Empty(await _center.TestAsync(Cancel));
    }

    private static Alert Tripped(string login) => new(
        "breaker_tripped", login, "smtp.acme.test", Now, $"{login} is stopped", [$"sallyport hold drop {login}"])
    {
        Evidence = new AlertEvidence("first_contacts_per_hour", 41, 40, 3, "198.51.100.7", ["198.51.100.7"], ["a@example.com"], 2),
    };

    private Task UntilAsync(Func<bool> condition) => _logged.UntilAsync(() =>
    {
        lock (_sent)
        {
            return condition();
        }
    }, () => string.Join(", ", _sent));

    /// <summary>The wait before the next try begins some time after the last has failed.</summary>
    private async Task AdvanceUntilAsync(int posts)
    {
        while (_hook.Posted.Count < posts)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }

    private sealed class Log(AlertCenterTests tests) : IMailLog
    {
        public void Write(MailEvent mailEvent)
        {
            lock (tests._sent)
            {
                tests._sent.Add((MailEvent.AlertSent)mailEvent);
            }

            tests._logged.Changed();
        }
    }

    private sealed class ScriptedHook : HttpMessageHandler
    {
        private readonly Signal _posted = new();
        private readonly List<(string Body, string Signature)> _posts = [];

        public Func<HttpStatusCode> Answer { get; set; } = () => HttpStatusCode.NoContent;

        public bool Hangs { get; set; }

        public List<(string Body, string Signature)> Posted
        {
            get
            {
                lock (_posts)
                {
                    return [.. _posts];
                }
            }
        }

        public Task PostsAsync(int count) => _posted.UntilAsync(() => Posted.Count >= count, () => $"{Posted.Count} posts");

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = await request.Content!.ReadAsStringAsync(cancellationToken);
            lock (_posts)
            {
                _posts.Add((body, request.Headers.TryGetValues(AlertWebhook.SignatureHeader, out var values) ? values.Single() : ""));
            }

            _posted.Changed();
            if (Hangs)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return new HttpResponseMessage(Answer());
        }
    }
}

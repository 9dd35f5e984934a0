using System.Threading.Channels;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Alerting;

/// <summary>
/// Tells the administrator, by every way configured, and never keeps anybody waiting. The same thing again within the cool-down, and
/// more than a few of a kind, are gathered and told together when it is over.
/// </summary>
public sealed class AlertCenter : IAsyncDisposable
{
    /// <summary>Alerts waiting for one way; more are dropped, and that is a line in the log.</summary>
    public const int WaitingMax = 100;

    /// <summary>Alerts of one kind within a cool-down that go alone.</summary>
    public const int AloneMax = 5;

    /// <summary>Lines of a gathered alert.</summary>
    public const int OthersMax = 50;

    private static readonly TimeSpan WaitFirst = TimeSpan.FromSeconds(1);

    private readonly IOptionsInForce _site;
    private readonly IMailLog _log;
    private readonly TimeProvider _time;
    private readonly AlertMail _mail;
    private readonly AlertWebhook _webhook;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<Alert> _mails = Waiting();
    private readonly Channel<Alert> _posts = Waiting();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Gathered> _kinds = new(StringComparer.Ordinal);
    private readonly Task _running;

    internal AlertCenter(
        IOptionsInForce site, AlertMail mail, AlertWebhook webhook, IMailLog log, TimeProvider time)
    {
        (_site, _mail, _webhook, _log, _time) = (site, mail, webhook, log, time);
        _running = Task.WhenAll(MailAsync(), PostAsync());
    }

    /// <summary>Of one kind, since its cool-down began.</summary>
    private sealed class Gathered
    {
        public HashSet<string> Told { get; } = new(StringComparer.Ordinal);

        public List<string> Others { get; } = [];

        public int OthersCount { get; set; }

        public ITimer? Over { get; set; }
    }

    /// <summary>Goes out soon, or is gathered.</summary>
    public void Tell(Alert alert)
    {
        lock (_gate)
        {
            if (!_kinds.TryGetValue(alert.Kind, out var kind))
            {
                _kinds[alert.Kind] = kind = new Gathered();
                kind.Over = _time.CreateTimer(_ => EndCoolDown(alert.Kind), null, _site.Options.Alert.CoolDown, Timeout.InfiniteTimeSpan);
            }

            if (kind.Told.Count < AloneMax && kind.Told.Add(alert.About))
            {
                Send(alert);
                return;
            }

            kind.OthersCount++;
            if (kind.Others.Count < OthersMax)
            {
                kind.Others.Add(alert.Summary);
            }
        }
    }

    /// <summary>Sends one by every way configured, once each, and says what came of it.</summary>
    public async Task<IReadOnlyList<AlertOutcome>> TestAsync(CancellationToken cancel)
    {
        var (hostname, options) = (_site.Options.Hostname, _site.Options.Alert);
        var alert = new Alert("test", hostname, hostname, _time.GetUtcNow(), "this is a test: alerts reach you", []);
        var outcomes = new List<AlertOutcome>();
        if (options.Mail.Length > 0)
        {
            outcomes.Add(new("mail", string.Join(", ", options.Mail), await _mail.SendAsync(alert, options)));
        }

        if (options.Webhook is { } webhook)
        {
            outcomes.Add(new("webhook", webhook.GetLeftPart(UriPartial.Authority), (await _webhook.PostAsync(alert, options, cancel)).Trouble));
        }

        outcomes.ForEach(outcome => _log.Write(new MailEvent.AlertSent(alert.Kind, alert.About, outcome.Way, outcome.Trouble)));
        return outcomes;
    }

    public async ValueTask DisposeAsync()
    {
        _mails.Writer.TryComplete();
        _posts.Writer.TryComplete();
        await _stop.CancelAsync();
        await _running;
        lock (_gate)
        {
            foreach (var kind in _kinds.Values)
            {
                kind.Over?.Dispose();
            }
        }

        _webhook.Dispose();
        _stop.Dispose();
    }

    private static Channel<Alert> Waiting() => Channel.CreateBounded<Alert>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private void Send(Alert alert)
    {
        var options = _site.Options.Alert;
        Offer(_mails, options.Mail.Length > 0, alert, "mail");
        Offer(_posts, options.Webhook is not null, alert, "webhook");
    }

    private void Offer(Channel<Alert> way, bool wanted, Alert alert, string name)
    {
        if (wanted && !way.Writer.TryWrite(alert) && !_stop.IsCancellationRequested)
        {
            _log.Write(new MailEvent.AlertSent(alert.Kind, alert.About, name, $"{WaitingMax} alerts wait already"));
        }
    }

    private void EndCoolDown(string name)
    {
        lock (_gate)
        {
            if (!_kinds.Remove(name, out var kind))
            {
                return;
            }

            kind.Over?.Dispose();
            if (kind.OthersCount > 0)
            {
                var (hostname, options) = (_site.Options.Hostname, _site.Options.Alert);
                Send(new Alert(name, $"{kind.OthersCount} more", hostname, _time.GetUtcNow(),
                    $"{kind.OthersCount} more of {name} within {Quantities.Show(options.CoolDown)}", ["sallyport login list", "sallyport hold list"])
                {
                    Others = [.. kind.Others],
                    OthersCount = kind.OthersCount,
                });
            }
        }
    }

    private async Task MailAsync()
    {
        await foreach (var alert in _mails.Reader.ReadAllAsync())
        {
            var options = _site.Options.Alert;
            await TryAsync(alert, "mail", options.WebhookTries, async () => (await _mail.SendAsync(alert, options), true));
        }
    }

    private async Task PostAsync()
    {
        await foreach (var alert in _posts.Reader.ReadAllAsync())
        {
            var options = _site.Options.Alert;
            if (options.Webhook is not null)
            {
                await TryAsync(alert, "webhook", options.WebhookTries, () => _webhook.PostAsync(alert, options, _stop.Token));
            }
        }
    }

    /// <summary>A few times, each wait twice the last. When the server stops one try more is all there is.</summary>
    private async Task TryAsync(Alert alert, string way, int tries, Func<Task<(string Trouble, bool Again)>> send)
    {
        var wait = WaitFirst;
        while (true)
        {
            var (trouble, again) = await send();
            if (trouble.Length == 0 || !again || --tries <= 0 || _stop.IsCancellationRequested)
            {
                _log.Write(new MailEvent.AlertSent(alert.Kind, alert.About, way, trouble));
                return;
            }

            await Task.Delay(wait, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait *= 2;
        }
    }
}

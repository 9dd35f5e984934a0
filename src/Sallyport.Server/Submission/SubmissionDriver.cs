using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Submission;

/// <summary>
/// Carries one session's conversation between the wire and <see cref="SubmissionSession"/>: reads commands, answers the session's
/// questions, writes its replies. Replies to pipelined commands leave together.
/// </summary>
public sealed partial class SubmissionDriver : IDisposable
{
    private readonly ISubmissionWire _wire;
    private readonly SubmissionServices _services;
    private readonly Settings _settings;
    private readonly TimeoutOptions _timeouts;
    private readonly SmtpLimits _limits;
    private readonly SubmissionSession _session;
    private readonly LineFramer _framer = new();
    private readonly Deadline _deadline;
    private readonly string _client;
    private string _end = "the client left";
    private string _verifierFrom = "";
    private bool _draining;
    private bool _closing;
    private bool _failureLogged;

    public SubmissionDriver(ISubmissionWire wire, SubmissionServices services, ListenerTls tls, string sessionId)
    {
        _wire = wire;
        _services = services;
        _settings = services.Settings;
        _timeouts = _settings.Options.Timeouts;
        _limits = _settings.Options.Limits.Smtp;
        _client = wire.Client.ToString();
        SessionId = sessionId;
        _deadline = new Deadline(wire, services.Time);
        _session = new SubmissionSession(new SubmissionContext(_settings.Options.Hostname, tls == ListenerTls.Implicit,
            tls == ListenerTls.StartTls, tls == ListenerTls.None, _client, _limits) { Mechanisms = _settings.Mechanisms });
    }

    public string SessionId { get; }

    /// <param name="tls">What the handshake gave on an implicit-TLS listener.</param>
    /// <param name="drain">Asks the session to end at the next command.</param>
    public async Task RunAsync(TlsFacts? tls, CancellationToken drain)
    {
        using var asked = drain.Register(() =>
        {
            _draining = true;
            _wire.Input.CancelPendingRead();
        });
        try
        {
            if (tls is not null)
            {
                _session.TlsEstablished(tls);
            }

            Say(_session.Greeting());
            await ConverseAsync(drain);
        }
        catch (WireLostException lost)
        {
            _end = lost.Message;
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            _end = "the connection was lost";
        }
        finally
        {
            _deadline.Disarm();
            await DropExchangeAsync();
            await DropSubmissionAsync();
            _services.Log.Write(new MailEvent.ConnectionClosed(SessionId, _client, _session.Messages, _end));
        }
    }

    public void Dispose() => _deadline.Dispose();

    private bool InTransaction => _session.State > SessionState.Authenticated;

    private async Task ConverseAsync(CancellationToken drain)
    {
        while (!_closing)
        {
            var line = await ReadLineAsync(_limits.CommandLineBytes);
            if (line.Kind != LineKind.Line)
            {
                await EndLineTroubleAsync(line.Kind);
                continue;
            }

            var turn = _session.Receive(CommandParser.Parse(line.Octets));
            await FollowAsync(turn, drain);
        }

        await FlushAsync();
    }

    /// <summary>Does what a turn asks, and goes on until the session wants the next command.</summary>
    private async Task FollowAsync(Turn? turn, CancellationToken cancel)
    {
        while (turn is not null)
        {
            turn = turn switch
            {
                Turn.Say say => Write(say.Reply),
                Turn.HangUp hangUp => HangUp(hangUp.Reply),
                Turn.BeginTls begin => await BeginTlsAsync(begin),
                Turn.ContinueSasl next => await ContinueSaslAsync(next),
                Turn.AskPassword ask => await CheckPasswordAsync(ask),
                Turn.AskVerifier ask => await FindVerifierAsync(ask),
                Turn.AskExchange ask => await ContinueExchangeAsync(ask),
                Turn.AskGrant ask => await FindGrantAsync(ask),
                Turn.AskSender ask => AnswerSender(ask),
                Turn.AskRecipient ask => _session.AnswerRecipient(Judge(ask)),
                Turn.ReadData data => await ReceiveDataAsync(data, cancel),
                Turn.ReadChunk chunk => await ReceiveChunkAsync(chunk, cancel),
                _ => null,
            };
        }

        await DropExchangeAsync();
    }

    private Turn AnswerSender(Turn.AskSender ask)
    {
        var refusal = Judge(ask);
        var kept = SenderPolicy.Effective(_session.Grant!, ask.ReversePath);
        if (refusal is null && ask.ReversePath.Mailbox is { } asked && !SenderPolicy.MayUse(_session.Grant!, asked))
        {
            LogStranger("MAIL FROM", asked.ToString());
        }

        return _session.AnswerSender(refusal, kept == ask.ReversePath ? null : kept);
    }

    private void LogStranger(string where, string address)
    {
        var grant = _session.Grant!;
        _services.Log.Write(new MailEvent.StrangerPassed(SessionId, _client, grant.Login, where, address, grant.Mode));
    }

    private Reply? Judge(Turn.AskSender ask)
    {
        var refusal = SenderPolicy.CheckReversePath(_session.Grant!, ask.ReversePath)
            ?? (_services.Spool.HasRoomFor(ask.DeclaredBytes) ? null
                : _services.Spool.Health == Store.SpoolHealth.Failed ? Replies.StoreFailed : Replies.NoRoom);
        LogRefusal(refusal, ask.ReversePath.ToString());
        return refusal;
    }

    private Reply? Judge(Turn.AskRecipient ask)
    {
        var path = ask.Recipient.Path;
        var refusal = _settings.Routes.Find(path.Mailbox) is null
            ? new Reply(550, new(5, 1, 2), $"No route of this server leads to {Replies.Printable(path.Mailbox.Domain)}")
            : null;
        LogRefusal(refusal, path.ToString());
        return refusal;
    }

    private void LogRefusal(Reply? refusal, string subject)
    {
        if (refusal is not null)
        {
            var grant = _session.Grant;
            _services.Log.Write(new MailEvent.Refused(
                SessionId, _client, grant?.Login ?? "", subject, refusal, grant?.Addresses.FirstOrDefault() ?? ""));
        }
    }

    private async Task<Turn?> BeginTlsAsync(Turn.BeginTls begin)
    {
        if (_wire.Input.TryRead(out var behind))
        {
            var injected = behind.Buffer.Length > 0;
            _wire.Input.AdvanceTo(behind.Buffer.Start);
            if (injected)
            {
                _end = "data behind STARTTLS";
                return _session.TlsInjected();
            }
        }

        Say(begin.Reply);
        await FlushAsync();
        _deadline.Disarm();
        try
        {
            using var limit = new CancellationTokenSource(_timeouts.Handshake, _services.Time);
            var facts = await _wire.StartTlsAsync(limit.Token);
            _services.Log.Write(new MailEvent.TlsStarted(SessionId, _client, facts.Protocol, facts.CipherSuite));
            _session.TlsEstablished(facts);
            return null;
        }
        catch (Exception exception)
        {
            _services.Log.Write(new MailEvent.TlsFailed(SessionId, _client, exception.InnerException?.Message ?? exception.Message));
            throw new WireLostException("the TLS handshake failed");
        }
    }

    private async Task<Turn> ContinueSaslAsync(Turn.ContinueSasl next)
    {
        Say(next.Reply);
        var line = await ReadLineAsync(_limits.AuthLineBytes);
        return line.Kind switch
        {
            LineKind.Line => ReceiveSasl(line.Octets),
            LineKind.TooLong => _session.SaslLineTooLong(),
            LineKind.BareLineFeed => _session.ReceiveSasl("?"u8),
            _ => new Turn.HangUp(Replies.AuthTooLong),
        };
    }

    private Turn ReceiveSasl(byte[] line)
    {
        var turn = _session.ReceiveSasl(line);
        LogLogin(); // SCRAM ends here, with the client's empty answer to our proof
        return turn;
    }

    private LoginAttempt Attempt(string login) => new(SessionId, _wire.Client, _session.Mechanism, login)
    {
        ClientPort = _wire.ClientPort,
        Server = _wire.Server,
    };

    private async Task<Turn> CheckPasswordAsync(Turn.AskPassword ask)
    {
        var (answer, why) = await _settings.Identity.CheckPasswordAsync(Attempt(ask.Login), ask.Password, default);
        return Answer(answer, why);
    }

    private async Task<Turn> FindGrantAsync(Turn.AskGrant ask)
    {
        var (answer, why) = await _settings.Identity.FindGrantAsync(ask.Login, _verifierFrom, default);
        return Answer(answer, why);
    }

    private Turn Answer(LoginAnswer answer, string why)
    {
        if (answer is not LoginAnswer.Granted)
        {
            _services.Log.Write(new MailEvent.LoginFailed(SessionId, _client, _session.LoginTyped, _session.Mechanism, why));
            _failureLogged = true;
            return _session.AnswerLogin(answer);
        }

        var turn = _session.AnswerLogin(answer);
        LogLogin();
        return turn;
    }

    private void LogLogin()
    {
        if (_session.Grant is { } grant)
        {
            _services.Log.Write(new MailEvent.LoginSucceeded(
                SessionId, _client, grant.Login, _session.LoginTyped, grant.Directory, _session.Mechanism));
        }
    }

    private Turn? Write(Reply reply)
    {
        Say(reply);
        return null;
    }

    private Turn? HangUp(Reply reply)
    {
        Say(reply);
        _closing = true;
        _end = reply.Code == 221 ? "quit" : reply.ToString();
        return null;
    }
}

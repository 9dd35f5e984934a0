using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Sites;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Submission;

/// <summary>
/// Carries one session's conversation between the wire and <see cref="SubmissionSession"/>: reads commands, answers the session's
/// questions, writes its replies. Replies to pipelined commands leave together.
/// </summary>
public sealed partial class SubmissionDriver : IDisposable
{
    /// <summary>How long a session trusts what its directory said of the login.</summary>
    private static readonly TimeSpan GrantHoldsFor = TimeSpan.FromSeconds(5);

    private const int CrLf = 2;
    private readonly ISubmissionWire _wire;
    private readonly SubmissionServices _services;
    private readonly SiteSnapshot _settings;
    private readonly TimeoutOptions _timeouts;
    private readonly SmtpLimits _limits;
    private readonly SubmissionSession _session;
    private readonly LineFramer _framer = new();
    private readonly Deadline _deadline;
    private readonly string _client;
    private readonly bool _loginNeedsTls;
    private readonly long _began;
    private long _grantedAt;
    private string _end = "the client left";
    private bool _draining;
    private bool _closing;

    public SubmissionDriver(ISubmissionWire wire, SubmissionServices services, ListenerTls tls, string sessionId)
    {
        _wire = wire;
        _services = services;
        _settings = services.Site.Current;
        _timeouts = _settings.Options.Timeouts;
        _limits = _settings.Options.Limits.Smtp;
        _client = wire.Client.ToString();
        _loginNeedsTls = tls != ListenerTls.None;
        SessionId = sessionId;
        _deadline = new Deadline(wire, services.Time);
        _began = services.Time.GetTimestamp();
        _session = new SubmissionSession(new SubmissionContext(
            _settings.Options.Hostname, tls == ListenerTls.StartTls, tls == ListenerTls.None, _limits)
        { Mechanisms = _settings.Mechanisms, TokenService = _settings.TokenService });
    }

    public string SessionId { get; }

    /// <summary>Told of each command with the state it met.</summary>
    public Action<SessionState, Command>? Heard { get; init; }

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
        catch (Exception exception)
        {
            _end = "a fault of ours";
            _services.Log.Write(new MailEvent.Problem($"session {SessionId} from {_client} ended by a fault of ours: {exception}"));
        }
        finally
        {
            _deadline.Disarm();
            await DropExchangeAsync();
            await DropSubmissionAsync();
            EndSending();
            LogOmittedRefusals();
            _services.Log.Write(new MailEvent.ConnectionClosed(SessionId, _client, _session.Messages, _end));
        }
    }

    public void Dispose() => _deadline.Dispose();

    private bool InTransaction => _session.State > SessionState.Authenticated;

    private async Task ConverseAsync(CancellationToken drain)
    {
        while (!_closing)
        {
            var line = await ReadLineAsync(_session.LineBytesMax);
            if (CommandIn(line) is not { } command)
            {
                await EndLineTroubleAsync(line.Kind);
                continue;
            }

            Heard?.Invoke(_session.State, command);
            LogLoginInClear(command);
            await FollowAsync(
                command.Verb == Verb.Auth && _session.Grant is null && MoreHasArrived()
                    ? _session.Unpipelined(Verb.Auth)
                    : _session.Receive(command, line.Octets.Length + CrLf),
                drain);
            _end = command is Command.OtherProtocol other ? $"it speaks {other.Name}, not SMTP" : _end;
        }

        await FlushAsync();
    }

    private static Command? CommandIn(Line line) => line.Kind switch
    {
        LineKind.Line => CommandParser.Parse(line.Octets),
        LineKind.BareLineFeed or LineKind.Foreign => CommandParser.OtherProtocolIn(line.Octets),
        _ => null,
    };

    /// <summary>Does what a turn asks, and goes on until the session wants the next command.</summary>
    private async Task FollowAsync(SessionAction? turn, CancellationToken cancel)
    {
        while (turn is not null)
        {
            await TellLoginFailureAsync();
            turn = turn switch
            {
                SessionAction.Say say => Write(say.Reply),
                SessionAction.HangUp hangUp => HangUp(hangUp.Reply),
                SessionAction.BeginTls begin => await BeginTlsAsync(begin),
                SessionAction.ContinueSasl next => await ContinueSaslAsync(next),
                SessionAction.AskPassword ask => await CheckPasswordAsync(ask),
                SessionAction.AskVerifier ask => await FindVerifierAsync(ask),
                SessionAction.AskExchange ask => await ContinueExchangeAsync(ask),
                SessionAction.AskGrant ask => await FindGrantAsync(ask),
                SessionAction.AskToken ask => await CheckTokenAsync(ask),
                SessionAction.AskCertificate ask => await CheckCertificateAsync(ask),
                SessionAction.AskSender ask => await IsRevokedAsync() ? _session.LoginRevoked() : await AnswerSenderAsync(ask),
                SessionAction.AskRecipient ask => AnswerRecipient(ask),
                SessionAction.ReadData data => await ReceiveDataAsync(data, cancel),
                SessionAction.ReadChunk chunk => await ReceiveChunkAsync(chunk, cancel),
                _ => null,
            };
        }

        await DropExchangeAsync();

        // A message belongs to its transaction: whatever ended that, be it RSET, EHLO or a refusal, ended the message.
        if (_session.State != SessionState.ReceivingChunks)
        {
            _pace = null;
            await DropSubmissionAsync();
        }

        if (!InTransaction)
        {
            _sending?.Release();
        }
    }

    /// <summary>Asks again at MAIL, so that a stolen account is stopped when it is disabled and not a session later.</summary>
    private async ValueTask<bool> IsRevokedAsync()
    {
        if (_settings.Identity.RevokedSince(_session.Grant!) is { } since)
        {
            LogRefusal(Replies.LoginRevoked, $"{_session.Grant!.Login}: {since.Why}");
            return true;
        }

        if (_services.Time.GetElapsedTime(_grantedAt) < GrantHoldsFor)
        {
            return false;
        }

        _grantedAt = _services.Time.GetTimestamp();
        var verdict = await _settings.Identity.AskAgainAsync(
            _session.Grant!, _session.Grant!.AskedAs ?? _session.LoginTyped, default);
        if (verdict is LoginVerdict.Granted granted)
        {
            _session.RenewGrant(granted.Grant with { AskedAs = _session.Grant.AskedAs });
        }
        else if (verdict is not null)
        {
            LogRefusal(Replies.LoginRevoked, $"{_session.Grant.Login}: {verdict.Why}");
            return true;
        }

        return false;
    }

    private async ValueTask<SessionAction> AnswerSenderAsync(SessionAction.AskSender ask)
    {
        var sender = SenderPolicy.Decide(_session.Grant!, ask.ReversePath);
        var refusal = Judge(ask, sender) ?? await BeginSendingAsync(ask);
        if (refusal is null && sender.Ungranted is { } ungranted)
        {
            LogUngranted("MAIL FROM", ungranted.ToString());
        }

        return _session.AnswerSender(refusal, sender.Path == ask.ReversePath ? null : sender.Path);
    }

    private void LogUngranted(string where, string address)
    {
        var grant = _session.Grant!;
        _services.Log.Write(new MailEvent.UngrantedSenderAllowed(SessionId, _client, grant.Login, where, address, grant.Mode));
    }

    private Reply? Judge(SessionAction.AskSender ask, SenderDecision sender)
    {
        var refusal = CheckSuspension() ?? (sender.Refusal is { } ungranted ? Replies.SenderNotGranted(ungranted) : null)
            ?? (_services.Spool.HasRoomFor(ask.DeclaredBytes) ? null
                : _services.Spool.Health == Store.SpoolHealth.Failed ? Replies.StoreFailed : Replies.NoRoom)
            ?? (_services.Watch.HasRoomFor(_session.Grant!.Login, _session.Grant.Groups) ? null : Replies.TooMuchHeld);
        LogPolicyRefusal(refusal, ask.ReversePath.ToString());
        return refusal;
    }

    private Reply? CheckSuspension() => _settings.Identity.Suspensions.Find(_session.Grant!.Login) is { } suspension
        ? Replies.Suspended(suspension.Login, suspension.Why, _settings.Options.Alert.Contact)
        : null;

    private Reply? Judge(SessionAction.AskRecipient ask)
    {
        var path = ask.Recipient.Path;
        var refusal = _settings.Routes.Find(path.Mailbox) is null
            ? new Reply(550, new(5, 1, 2), $"No route of this server leads to {DisplayText.Sanitize(path.Mailbox.Domain)}")
            : null;
        LogPolicyRefusal(refusal, path.ToString());
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

    private async Task<SessionAction?> BeginTlsAsync(SessionAction.BeginTls begin)
    {
        if (MoreHasArrived())
        {
            return _session.TlsInjected();
        }

        if (!_services.Handshakes.TryBegin(_settings.Options.Limits.Handshakes))
        {
            return new SessionAction.Say(Replies.TlsBusy); // RFC 3207 §4
        }

        try
        {
            Say(begin.Reply);
            await FlushAsync();
            _deadline.Disarm();
            await HandshakeAsync();
            return null;
        }
        finally
        {
            _services.Handshakes.End();
        }
    }

    private async Task HandshakeAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(_timeouts.Handshake, _services.Time);
            var facts = await _wire.StartTlsAsync(limit.Token);
            _services.LogTls(SessionId, _client, facts);
            _session.TlsEstablished(facts);
        }
        catch (Exception exception)
        {
            _services.Log.Write(new MailEvent.TlsFailed(SessionId, _client, exception.InnerException?.Message ?? exception.Message));
            throw new WireLostException("the TLS handshake failed");
        }
    }

    private SessionAction? Write(Reply reply)
    {
        Say(reply);
        return null;
    }

    private SessionAction? HangUp(Reply reply)
    {
        Say(reply);
        _closing = true;
        _end = reply.Code == 221 ? "quit" : reply == Replies.AuthFailed ? "too many failed logins" : reply.ToString();
        return null;
    }
}

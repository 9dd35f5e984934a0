using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Submission;

/// <summary>
/// Carries one session's conversation between the wire and <see cref="SubmissionSession"/>: reads commands, has the session's questions
/// answered by whoever owns the matter, writes its replies.
/// </summary>
public sealed class SubmissionDriver : IDisposable
{
    private const int CrLf = 2;
    private readonly SessionScope _scope;
    private readonly SubmissionSession _session;
    private readonly Deadline _deadline;
    private readonly ReplyWriter _replies;
    private readonly LineReader _lines;
    private readonly SessionLog _log;
    private readonly SessionAccounting _accounting;
    private readonly TlsUpgrade _tls;
    private readonly LoginConversation _login;
    private readonly MessageIntake _intake;
    private string _end = "the client left";
    private bool _closing;

    public SubmissionDriver(ISubmissionWire wire, SubmissionServices services, ListenerTls tls, string sessionId)
    {
        _scope = new SessionScope(wire, services, sessionId);
        var (site, timeouts) = (_scope.Site, _scope.Timeouts);
        _session = new SubmissionSession(new SubmissionContext(
            site.Options.Hostname, tls == ListenerTls.StartTls, tls == ListenerTls.None, _scope.Limits)
        { Mechanisms = site.Mechanisms, TokenService = site.TokenService });
        _deadline = new Deadline(wire, services.Time);
        _replies = new ReplyWriter(wire, _deadline, timeouts.Write);
        _lines = new LineReader(wire, _replies, _deadline, _session, timeouts, services.Time);
        _log = new SessionLog(_scope, _session, loginNeedsTls: tls != ListenerTls.None);
        _tls = new TlsUpgrade(_scope, _session, _lines, _replies, _deadline, _log);
        _accounting = new SessionAccounting(_scope, _log);
        _login = new LoginConversation(_scope, _session, _accounting, _log, _lines, _replies);
        _intake = new MessageIntake(_scope, _session, new ContentInput(wire, _replies, _deadline, timeouts, services.Time), _replies,
            new MessageCommit(_scope, _session, _accounting, _log));
    }

    public string SessionId => _scope.Id;

    /// <summary>Told of each command with the state it met.</summary>
    public Action<SessionState, Command>? Heard { get; init; }

    /// <param name="tls">What the handshake gave on an implicit-TLS listener.</param>
    /// <param name="drain">Asks the session to end at the next command.</param>
    public async Task RunAsync(TlsFacts? tls, CancellationToken drain)
    {
        using var asked = drain.Register(_lines.Drain);
        try
        {
            if (tls is not null)
            {
                _session.TlsEstablished(tls);
            }

            _replies.Say(_session.Greeting());
            await ConverseAsync();
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
            _log.Write(new MailEvent.Problem($"session {SessionId} from {_scope.Client} ended by a fault of ours: {exception}"));
        }
        finally
        {
            _deadline.Disarm();
            await _login.DropAsync();
            await _intake.DropAsync();
            _accounting.EndConnection();
            _log.Closed(_end);
        }
    }

    public void Dispose() => _deadline.Dispose();

    private async Task ConverseAsync()
    {
        while (!_closing)
        {
            var line = await _lines.ReadAsync(_session.LineBytesMax);
            if (CommandIn(line) is not { } command)
            {
                await FollowAsync(WithoutCommand(line.Kind));
                continue;
            }

            Heard?.Invoke(_session.State, command);
            _log.LoginInClear(command);
            await FollowAsync(command.Verb == Verb.Auth && _session.Grant is null && _lines.MoreHasArrived()
                ? _session.Unpipelined(Verb.Auth)
                : _session.Receive(command, line.Octets.Length + CrLf));
            _end = command is Command.OtherProtocol other ? $"it speaks {other.Name}, not SMTP" : _end;
        }

        await _replies.FlushAsync();
    }

    private static Command? CommandIn(Line line) => line.Kind switch
    {
        LineKind.Line => CommandParser.Parse(line.Octets),
        LineKind.BareLineFeed or LineKind.Foreign => CommandParser.OtherProtocolIn(line.Octets),
        _ => null,
    };

    private SessionAction WithoutCommand(LineKind kind) => kind switch
    {
        LineKind.TooLong => _session.LineTooLong(),
        LineKind.BareLineFeed => _session.BareNewlineCommand(),
        _ => new SessionAction.HangUp(Replies.LineTooLong),
    };

    /// <summary>Does what an action asks, and goes on until the session wants the next command.</summary>
    private async Task FollowAsync(SessionAction? action)
    {
        while (action is not null)
        {
            action = action switch
            {
                SessionAction.Say say => Write(say.Reply),
                SessionAction.HangUp hangUp => HangUp(hangUp.Reply),
                SessionAction.BeginTls begin => await _tls.BeginAsync(begin),
                SessionAction.AskSender ask => await _login.IsRevokedAsync() ? _session.LoginRevoked() : await AnswerSenderAsync(ask),
                SessionAction.AskRecipient ask => AnswerRecipient(ask),
                SessionAction.ReadData data => _lines.MoreHasArrived()
                    ? _session.Unpipelined(Verb.Data) : await _intake.ReceiveDataAsync(data),
                SessionAction.ReadChunk chunk => await _intake.ReceiveChunkAsync(chunk),
                _ => await _login.FollowAsync(action),
            };
        }

        await _login.DropAsync();

        // A message belongs to its transaction: whatever ended that, be it RSET, EHLO or a refusal, ended the message.
        if (_session.State != SessionState.ReceivingChunks)
        {
            await _intake.DropAsync();
        }

        if (_session.State <= SessionState.Authenticated)
        {
            _accounting.Release();
        }
    }

    private async ValueTask<SessionAction> AnswerSenderAsync(SessionAction.AskSender ask)
    {
        var grant = _session.Grant!;
        var sender = SenderPolicy.Decide(grant, ask.ReversePath);
        var refusal = Evaluate(grant, sender, ask) ?? await _accounting.BeginAsync(grant, ask);
        if (refusal is null && sender.Ungranted is { } ungranted)
        {
            _log.UngrantedSender("MAIL FROM", ungranted.ToString());
        }

        return _session.AnswerSender(refusal, sender.Path == ask.ReversePath ? null : sender.Path);
    }

    /// <summary>May this login send from here now: suspensions, policy, the store's room, and what is held of it.</summary>
    private Reply? Evaluate(Grant grant, SenderDecision sender, SessionAction.AskSender ask)
    {
        var suspension = _scope.Site.Identity.Suspensions.Find(grant.Login);
        var refusal = suspension is not null
                ? Replies.Suspended(suspension.Login, suspension.Why, _scope.Site.Options.Alert.Contact)
            : sender.Refusal is { } ungranted ? Replies.SenderNotGranted(ungranted)
            : null;
        var spool = _scope.Services.Spool;
        if (refusal is null && !spool.HasRoomFor(ask.DeclaredBytes))
        {
            var full = spool.Health == SpoolHealth.Failed ? Replies.StoreFailed : Replies.NoRoom;
            _log.StoreRefuses(full, ask.ReversePath.ToString(), spool.WhyNoRoom);
            return full;
        }

        refusal ??= _scope.Services.Watch.HasRoomFor(grant.Login, grant.Groups) ? null : Replies.TooMuchHeld;
        if (refusal is not null)
        {
            _log.RefusedByPolicy(refusal, ask.ReversePath.ToString());
        }

        return refusal;
    }

    private SessionAction AnswerRecipient(SessionAction.AskRecipient ask)
    {
        var path = ask.Recipient.Path;
        if (_scope.Site.Routes.Find(path.Mailbox) is null)
        {
            var refusal = new Reply(550, new(5, 1, 2), $"No route of this server leads to {DisplayText.Sanitize(path.Mailbox.Domain)}");
            _log.RefusedByPolicy(refusal, path.ToString());
            return _session.AnswerRecipient(refusal);
        }

        var overLimit = _accounting.Add(_session.Grant!.Login, path);
        return _session.AnswerRecipient(overLimit, byLimit: overLimit is not null);
    }

    private SessionAction? Write(Reply reply)
    {
        _replies.Say(reply);
        return null;
    }

    private SessionAction? HangUp(Reply reply)
    {
        _replies.Say(reply);
        _closing = true;
        _end = reply.Code == 221 ? "quit" : reply == Replies.AuthFailed ? "too many failed logins" : reply.ToString();
        return null;
    }
}

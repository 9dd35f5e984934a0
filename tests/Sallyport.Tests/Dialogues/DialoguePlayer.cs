using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;

namespace Sallyport.Tests.Dialogues;

/// <summary>
/// Drives a SubmissionSession as the server does, with octets in memory instead of a connection. What is fed at once counts as what
/// had arrived at once, so that "nothing may be buffered behind STARTTLS" can be tried.
/// </summary>
internal sealed class DialoguePlayer
{
    private enum Reading
    {
        Commands,
        Sasl,
        Data,
        Chunk,
        Handshake,
        Nothing,
    }

    private readonly DialogueSetting _setting;
    private readonly SubmissionSession _session;
    private readonly LineFramer _framer = new();
    private readonly ArrayBufferWriter<byte> _content = new();
    private byte[] _pending = [];
    private Reading _reading = Reading.Commands;
    private DataDecoder? _data;
    private ChunkDecoder? _chunks;
    private Turn.ReadChunk? _chunk;
    private long _chunkLeft;
    private Envelope? _envelope;
    private Queue<string>? _relayed;

    public DialoguePlayer(DialogueSetting setting)
    {
        _setting = setting;
        _session = new SubmissionSession(new SubmissionContext(
            "smtp.acme.test", setting.Listener == "implicit", setting.Listener == "starttls", setting.Listener == "none",
            "192.0.2.7", setting.Limits));
        if (setting.Listener == "implicit")
        {
            _session.TlsEstablished(Tls);
        }

        Write(_session.Greeting());
    }

    /// <summary>The replies so far, each with its lines, without the last CRLF; "(closed)" at the end of the connection.</summary>
    public List<string> Output { get; } = [];

    /// <summary>Envelope, then content line by line, of every message kept.</summary>
    public List<string> Kept { get; } = [];

    /// <summary>Each command met, with the state it met.</summary>
    public List<(SessionState State, Verb Verb)> Met { get; } = [];

    public bool IsClosed => _reading == Reading.Nothing;

    private static TlsFacts Tls => new("TLSv1.3", "TLS_AES_256_GCM_SHA384", default);

    /// <param name="moreHasArrived">True when further octets lie behind these already.</param>
    public void Feed(ReadOnlySpan<byte> octets, bool moreHasArrived)
    {
        if (_reading is Reading.Nothing)
        {
            return;
        }

        _pending = [.. _pending, .. octets];
        while (Step(moreHasArrived))
        {
        }
    }

    public void HandshakeDone()
    {
        Assert(_reading == Reading.Handshake, "no handshake is awaited");
        _session.TlsEstablished(Tls);
        _reading = Reading.Commands;
    }

    /// <summary>True while there is more to do with what has arrived.</summary>
    private bool Step(bool moreHasArrived) => _reading switch
    {
        Reading.Commands or Reading.Sasl => ReadLine(moreHasArrived),
        Reading.Data => ReadData(),
        Reading.Chunk => ReadChunk(),
        _ => false,
    };

    private bool ReadLine(bool moreHasArrived)
    {
        var sasl = _reading == Reading.Sasl;
        var buffer = new ReadOnlySequence<byte>(_pending);
        var kind = _framer.TryRead(ref buffer, sasl ? _setting.Limits.AuthLineBytes : _setting.Limits.CommandLineBytes, out var line);
        _pending = buffer.ToArray();
        if (kind == LineKind.Incomplete)
        {
            return false;
        }

        _reading = Reading.Commands;
        Follow(kind switch
        {
            LineKind.Line => sasl ? _session.ReceiveSasl(line.ToArray()) : Receive(line.ToArray()),
            LineKind.TooLong => sasl ? _session.SaslLineTooLong() : _session.LineTooLong(),
            LineKind.BareLineFeed => _session.BareNewlineCommand(),
            _ => new Turn.HangUp(Replies.LineTooLong),
        }, moreHasArrived);
        return true;
    }

    private Turn Receive(byte[] line)
    {
        var command = CommandParser.Parse(line);
        if (command is not Command.OtherProtocol)
        {
            Met.Add((_session.State, command.Verb));
        }

        return _session.Receive(command);
    }

    private void Follow(Turn turn, bool moreHasArrived)
    {
        switch (Answered(turn))
        {
            case Turn.Say say:
                Write(say.Reply);
                break;
            case Turn.HangUp hangUp:
                Write(hangUp.Reply);
                Output.Add("(closed)");
                _reading = Reading.Nothing;
                break;
            case Turn.BeginTls when _pending.Length > 0 || moreHasArrived:
                Follow(_session.TlsInjected(), moreHasArrived);
                break;
            case Turn.BeginTls tls:
                Write(tls.Reply);
                _reading = Reading.Handshake;
                break;
            case Turn.ContinueSasl sasl:
                Write(sasl.Reply);
                _reading = Reading.Sasl;
                break;
            case Turn.ReadData data:
                Write(data.Reply);
                BeginContent(data.Envelope);
                _data = new DataDecoder(_setting.Limits);
                _reading = Reading.Data;
                break;
            case Turn.ReadChunk chunk:
                BeginChunk(chunk);
                break;
            default:
                throw new InvalidOperationException("a question was left open: " + turn);
        }
    }

    /// <summary>Answers the session's questions from the setting, until it wants something else.</summary>
    private Turn Answered(Turn turn)
    {
        while (true)
        {
            switch (turn)
            {
                case Turn.AskPassword ask:
                    turn = _session.AnswerLogin(Login(ask.Login, _setting.Passwords.GetValueOrDefault(ask.Login)));
                    break;
                case Turn.AskVerifier ask when _setting.Relayed.TryGetValue(ask.Login, out var script):
                    _relayed = new(script);
                    turn = _session.AnswerExchange(Relayed(ask.ClientFirst, ask.Login));
                    break;
                case Turn.AskExchange ask:
                    turn = _session.AnswerExchange(Relayed(ask.Response, _session.LoginTyped));
                    break;
                case Turn.AskVerifier ask:
                    turn = _session.AnswerVerifier(_setting.Verifiers.TryGetValue(ask.Login, out var found)
                        ? found
                        : new VerifierAnswer.Unavailable("not in this dialogue"));
                    break;
                case Turn.AskGrant ask:
                    turn = _session.AnswerLogin(Login(ask.Login, _setting.Passwords.GetValueOrDefault(ask.Login) ?? "ok"));
                    break;
                case Turn.AskSender ask:
                    turn = _session.AnswerSender(_setting.Refusals.GetValueOrDefault(ask.ReversePath.ToString())
                        ?? SenderPolicy.CheckReversePath(_session.Grant!, ask.ReversePath));
                    break;
                case Turn.AskRecipient ask:
                    turn = _session.AnswerRecipient(_setting.Refusals.GetValueOrDefault(ask.Recipient.Path.ToString()));
                    break;
                default:
                    return turn;
            }
        }
    }

    /// <summary>The script of the server that leads: "expected|challenge", or "expected:" and how it ends; base64 as on the wire.</summary>
    private ExchangeAnswer Relayed(ReadOnlyMemory<byte> response, string login)
    {
        var step = _relayed!.Dequeue();
        var end = step.IndexOf(':', StringComparison.Ordinal);
        var at = end < 0 ? step.IndexOf('|', StringComparison.Ordinal) : end;
        Assert(step[..at] == Convert.ToBase64String(response.Span), $"the server that leads got {Convert.ToBase64String(response.Span)}");
        return end < 0
            ? new ExchangeAnswer.Challenge(Convert.FromBase64String(step[(at + 1)..]))
            : new ExchangeAnswer.Ended(Login(login, step[(at + 1)..]));
    }

    private static LoginAnswer Login(string login, string? answer) => answer switch
    {
        "ok" => new LoginAnswer.Granted(new Grant(login, "local", [login.ToLowerInvariant()])),
        "disabled" => new LoginAnswer.Disabled(),
        "unavailable" => new LoginAnswer.Unavailable("not in this dialogue"),
        _ => new LoginAnswer.Wrong(),
    };

    private void BeginContent(Envelope envelope)
    {
        _envelope = envelope;
        _content.Clear();
    }

    private bool ReadData()
    {
        var ended = _data!.Decode(_pending, _content, out var consumed);
        _pending = _pending[consumed..];
        if (ended)
        {
            _reading = Reading.Commands;
            Follow(_session.AnswerContent(Keep(_data.Facts)), moreHasArrived: false);
        }

        return ended;
    }

    private void BeginChunk(Turn.ReadChunk chunk)
    {
        if (_session.State != SessionState.ReceivingChunks)
        {
            _chunks = null;
        }

        if (chunk.Envelope is not null && _chunks is null)
        {
            BeginContent(chunk.Envelope);
            _chunks = new ChunkDecoder(_setting.Limits);
        }

        _chunk = chunk;
        _chunkLeft = chunk.Bytes;
        _reading = Reading.Chunk;
    }

    private bool ReadChunk()
    {
        var part = (int)Math.Min(_chunkLeft, _pending.Length);
        if (_chunk!.Discard is null)
        {
            _chunks!.Decode(_pending.AsSpan(0, part), _content);
        }

        _pending = _pending[part..];
        _chunkLeft -= part;
        if (_chunkLeft > 0)
        {
            return false;
        }

        _reading = Reading.Commands;
        if (_chunk.Discard is not null)
        {
            Write(_chunk.Discard);
        }
        else if (_chunk.Last)
        {
            _chunks!.Finish(_content);
            Follow(_session.AnswerContent(Keep(_chunks.Facts)), moreHasArrived: false);
        }
        else
        {
            Follow(_session.AnswerChunk(null), moreHasArrived: false);
        }

        return true;
    }

    private Reply Keep(ContentFacts facts)
    {
        if (facts.Verdict(_setting.Limits, _setting.NormaliseBareNewlines) is { } refusal)
        {
            return refusal;
        }

        Kept.Add(Describe(_envelope!));
        var text = Encoding.UTF8.GetString(_content.WrittenSpan);
        Kept.AddRange(text.Length == 0 ? [] : text[..^2].Split("\r\n").Select(line => "| " + line));
        _ = QueueId.TryParse(string.Create(CultureInfo.InvariantCulture, $"MESSAGE{_session.Messages + 1}"), out var id);
        return Replies.Queued(id);
    }

    private static string Describe(Envelope envelope)
    {
        var text = new StringBuilder().Append(envelope.ReversePath).Append(" to ").AppendJoin(", ", envelope.Recipients.Select(Describe));
        text.Append(envelope.Body == BodyType.EightBitMime ? " 8bit" : "").Append(envelope.SmtpUtf8 ? " utf8" : "");
        text.Append(envelope.EnvelopeId is null ? "" : " envid " + envelope.EnvelopeId)
            .Append(envelope.Return is null ? "" : " ret " + envelope.Return);
        return text.ToString();
    }

    private static string Describe(EnvelopeRecipient recipient) => recipient.Path
        + (recipient.Notify == DsnNotify.Unspecified ? "" : $" notify {recipient.Notify}")
        + (recipient.OriginalRecipient is null ? "" : " orcpt " + recipient.OriginalRecipient);

    private void Write(Reply reply) => Output.Add(Encoding.UTF8.GetString(reply.ToBytes())[..^2].Replace("\r\n", "\n", StringComparison.Ordinal));

    private static void Assert(bool condition, string problem)
    {
        if (!condition)
        {
            throw new InvalidOperationException(problem);
        }
    }
}

using System.Text;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Tests.Fakes;

namespace Sallyport.Tests.Dialogues;

/// <summary>Plays a dialogue against the server's own driver, on a wire and a store in memory.</summary>
internal sealed class DialoguePlayer : IDisposable
{
    private readonly SubmissionBench _bench;
    private readonly StringBuilder _open = new();

    public DialoguePlayer(DialogueSetting setting)
    {
        var listener = setting.Listener switch
        {
            "implicit" => ListenerTls.Implicit,
            "starttls" => ListenerTls.StartTls,
            _ => ListenerTls.None,
        };
        var directory = new ScriptedDirectory
        {
            Answers = new(setting.Passwords),
            Verifiers = setting.Verifiers.ToDictionary(pair => pair.Key, pair => pair.Value.Verifier),
        };
        _bench = new SubmissionBench(listener, options => With(options, setting), directory,
            wire: new MemoryWire { Facts = Facts(setting) },
            nonce: setting.Verifiers.Values.FirstOrDefault()?.ServerNonce, heard: Hear,
            more: [new ScriptedAssertions { Tokens = new(setting.Tokens) }, new ScriptedExchanges { Scripts = new(setting.Relayed) }]);
        _bench.Store.Faults.DiskLow = setting.DiskLow;
        Listen();
    }

    /// <summary>The replies so far, each with its lines, without the last CRLF; "(closed)" at the end of the connection.</summary>
    public List<string> Output { get; } = [];

    /// <summary>Each command met, with the state it met.</summary>
    public List<(SessionState State, Verb Verb)> Met { get; } = [];

    /// <summary>Envelope, then content line by line, of every message kept; what we put before it is left out.</summary>
    public IEnumerable<string> Kept => _bench.Messages().Zip(_bench.Kept(), (message, content) =>
        (string[])[Describe(message.Record.Envelope), .. OwnLines(content).Select(line => "| " + line)]).SelectMany(lines => lines);

    public void Feed(ReadOnlySpan<byte> octets)
    {
        if (!_bench.IsClosed)
        {
            _bench.Wire.Send(octets);
            Listen();
        }
    }

    public void HandshakeDone()
    {
        _bench.Wire.FinishHandshake();
        Listen();
    }

    public void Dispose() => _bench.Dispose();

    private static ServerOptions With(ServerOptions options, DialogueSetting setting) => options with
    {
        Limits = options.Limits with { Smtp = setting.Limits },
        Quotas = setting.Quota.IsEmpty ? [] : [new Quota(["*"], Shared: false, [.. setting.Quota], Line: 1)],
        Submission = options.Submission with
        {
            Mechanisms = [.. setting.Mechanisms],
            BareNewlines = setting.NormaliseBareNewlines ? BareNewlines.Normalise : BareNewlines.Refuse,
        },
        Routes = setting.OnlyExampleIsRouted ? [new RouteOptions { Recipients = ["example.com"], Capture = "/nowhere" }] : options.Routes,
    };

    private static TlsFacts Facts(DialogueSetting setting) => MemoryWire.Tls with
    {
        Client = setting.CertificateOf is { } holder ? new ClientCertificate("CN=" + holder, holder, [holder], [], "01", "AB") : null,
    };

    private void Hear(SessionState state, Command command)
    {
        if (command is not Command.OtherProtocol)
        {
            Met.Add((state, command.Verb));
        }
    }

    private void Listen()
    {
        foreach (var line in _bench.Wire.Take().Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
        {
            _open.Append(line);
            if (line[3] == '-')
            {
                _open.Append('\n');
                continue;
            }

            Output.Add(Numbered(_open.ToString()));
            _open.Clear();
        }

        if (_bench.IsClosed)
        {
            _bench.Run.GetAwaiter().GetResult();
            Output.Add("(closed)");
        }
    }

    /// <summary>Queue ids are drawn; a dialogue counts them.</summary>
    private string Numbered(string reply)
    {
        const string Queued = "250 2.0.0 Ok: queued as ";
        return reply.StartsWith(Queued, StringComparison.Ordinal)
            ? $"{Queued}MESSAGE{Output.Count(line => line.StartsWith(Queued, StringComparison.Ordinal)) + 1}"
            : reply;
    }

    /// <summary>The client's lines: without Received, Message-ID, Date and From of ours before them and without the last newline.</summary>
    private static IEnumerable<string> OwnLines(string content)
    {
        string[] ours = ["Received: ", "\t", "Message-ID: ", "Date: ", "From: "];
        return content[..^2].Split("\r\n").SkipWhile(line => ours.Any(start => line.StartsWith(start, StringComparison.Ordinal)));
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
}

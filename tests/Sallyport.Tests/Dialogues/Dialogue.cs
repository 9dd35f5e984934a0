using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Tests.Tidy;

namespace Sallyport.Tests.Dialogues;

/// <summary>
/// A conversation written down. "C:" is what the client sends (CRLF is added), "S:" what it must be answered, "K:" what must have
/// been kept, "#" a directive, "##" a remark. "S: (closed)" is the connection's end; a reply ending in " ..." may go on as it likes.
/// In a client's line {CR}, {LF}, {HT}, {NUL}, {DEL} stand for octets, {xHH} for any octet, {a*5000} for a repetition, {-} at the end for no CRLF.
/// </summary>
internal sealed partial record Dialogue(string Name, DialogueSetting Setting, IReadOnlyList<Exchange> Exchanges, IReadOnlyList<string> Kept)
{
    public static string Folder => Path.Combine(SourceTree.Root, "tests/Sallyport.Tests/Dialogues");

    public static IEnumerable<string> Names =>
        Directory.EnumerateFiles(Folder, "*.txt").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    public static Dialogue Read(string name)
    {
        var setting = new DialogueSetting();
        var exchanges = new List<Exchange>();
        var kept = new List<string>();
        foreach (var line in File.ReadAllLines(Path.Combine(Folder, name + ".txt")))
        {
            if (line.StartsWith("C:", StringComparison.Ordinal))
            {
                if (exchanges.Count == 0 || exchanges[^1].Expected.Count > 0 || exchanges[^1].BeginsTls)
                {
                    exchanges.Add(new Exchange([], [], BeginsTls: false));
                }

                exchanges[^1].Sent.Add(Octets(line.Length > 3 ? line[3..] : ""));
            }
            else if (line.StartsWith("S: ", StringComparison.Ordinal))
            {
                if (exchanges.Count == 0)
                {
                    exchanges.Add(new Exchange([], [], BeginsTls: false)); // the greeting
                }

                exchanges[^1].Expected.Add(line[3..]);
            }
            else if (line.StartsWith("K: ", StringComparison.Ordinal))
            {
                kept.Add(line[3..]);
            }
            else if (line == "# tls")
            {
                exchanges.Add(new Exchange([], [], BeginsTls: true));
            }
            else if (line.StartsWith("# ", StringComparison.Ordinal))
            {
                setting = setting.With(line[2..]);
            }
            else if (line.Length > 0 && !line.StartsWith("##", StringComparison.Ordinal))
            {
                throw new FormatException($"{name}: {line}");
            }
        }

        return new Dialogue(name, setting, exchanges, kept);
    }

    private static byte[] Octets(string text)
    {
        var crlf = !text.EndsWith("{-}", StringComparison.Ordinal);
        text = Repetition().Replace(crlf ? text + "\r\n" : text[..^3],
            match => new string(match.Groups[1].Value[0], int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture)));
        var octets = new List<byte>();
        var from = 0;
        foreach (Match match in Octet().Matches(text))
        {
            octets.AddRange(Encoding.UTF8.GetBytes(text[from..match.Index]));
            octets.Add(match.Value switch
            {
                "{CR}" => (byte)'\r',
                "{LF}" => (byte)'\n',
                "{HT}" => (byte)'\t',
                "{NUL}" => 0,
                "{DEL}" => 127,
                _ => byte.Parse(match.Value.AsSpan(2, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            });
            from = match.Index + match.Length;
        }

        octets.AddRange(Encoding.UTF8.GetBytes(text[from..]));
        return [.. octets];
    }

    [GeneratedRegex(@"\{(.)\*(\d+)\}")]
    private static partial Regex Repetition();

    [GeneratedRegex(@"\{(?:CR|LF|HT|NUL|DEL|x[0-9A-F]{2})\}")]
    private static partial Regex Octet();
}

/// <summary>Lines sent together, and what they are answered. <paramref name="BeginsTls"/>: before it, the handshake.</summary>
internal sealed record Exchange(List<byte[]> Sent, List<string> Expected, bool BeginsTls);

/// <summary>Everything around the conversation that the directives set.</summary>
internal sealed record DialogueSetting
{
    public string Listener { get; private init; } = "starttls";

    public SmtpLimits Limits { get; private init; } = new();

    public bool NormaliseBareNewlines { get; private init; }

    public IReadOnlyDictionary<string, string> Passwords { get; private init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, VerifierAnswer.Found> Verifiers { get; private init; } = new Dictionary<string, VerifierAnswer.Found>();

    /// <summary>Logins whose exchanges another server leads: what it says to each of the client's messages.</summary>
    public IReadOnlyDictionary<string, string[]> Relayed { get; private init; } = new Dictionary<string, string[]>();

    /// <summary>What becomes of an access token: the login it is for, or "unavailable".</summary>
    public IReadOnlyDictionary<string, string> Tokens { get; private init; } = new Dictionary<string, string>();

    /// <summary>The holder of the client's certificate; null when it showed none that was verified.</summary>
    public string? CertificateOf { get; private init; }

    /// <summary>Those that prove a password, where a dialogue does not say others.</summary>
    public ImmutableArray<string> Mechanisms { get; private init; } = SaslServer.ByPassword;

    /// <summary>Limits of each login, as of a [[quota]] for all.</summary>
    public ImmutableArray<QuotaLimit> Quota { get; private init; } = [];

    /// <summary>True where only example.com has a route.</summary>
    public bool OnlyExampleIsRouted { get; private init; }

    public bool DiskLow { get; private init; }

    /// <summary>True where it matters what had arrived when a command was read: lines that are sent together arrive together.</summary>
    public bool TogetherOnly { get; private init; }

    public DialogueSetting With(string directive)
    {
        var words = directive.Split(' ');
        return words[0] switch
        {
            "listener:" => this with { Listener = words[1] },
            "limits:" => this with { Limits = words.Skip(1).Aggregate(Limits, SetLimit) },
            "normalise" => this with { NormaliseBareNewlines = true },
            "password" => this with { Passwords = Added(Passwords, words[1], words[2]) },
            "scram" => this with { Verifiers = Added(Verifiers, words[1], Verifier(words)) },
            "relayed" => this with { Relayed = Added(Relayed, words[1], words[2..]) },
            "token" => this with { Tokens = Added(Tokens, words[1], words[2]) },
            "certificate" => this with { CertificateOf = words[1] },
            "mechanisms:" => this with { Mechanisms = [.. words.Skip(1)] },
            "quota" => this with
            {
                Quota = Quota.Add(new(Enum.Parse<SendingMeasure>(words[1]), Enum.Parse<SendingWindow>(words[2]),
                    long.Parse(words[3], CultureInfo.InvariantCulture))),
            },
            "disk" => this with { DiskLow = true },
            "routes" => this with { OnlyExampleIsRouted = true },
            "together" => this with { TogetherOnly = true },
            _ => throw new FormatException(directive),
        };
    }

    private static Dictionary<string, T> Added<T>(IReadOnlyDictionary<string, T> map, string key, T value) => new(map) { [key] = value };

    /// <summary>scram LOGIN PASSWORD SALT ITERATIONS NONCE</summary>
    private static VerifierAnswer.Found Verifier(string[] words)
    {
        var salt = Convert.FromBase64String(words[3]);
        var iterations = int.Parse(words[4], CultureInfo.InvariantCulture);
        return new(ScramSha256.Verifier(ScramSha256.SaltedPassword(words[2], salt, iterations), salt, iterations), words[5]);
    }

    private static SmtpLimits SetLimit(SmtpLimits limits, string setting)
    {
        var parts = setting.Split('=');
        var value = int.Parse(parts[1], CultureInfo.InvariantCulture);
        return parts[0] switch
        {
            "errors" => limits with { Errors = value },
            "auth" => limits with { AuthFailures = value },
            "recipients" => limits with { Recipients = value },
            "messages" => limits with { MessagesPerSession = value },
            "message" => limits with { MessageBytes = value },
            "commands" => limits with { CommandsBeforeLogin = value },
            "header" => limits with { HeaderBytes = value },
            "line" => limits with { CommandLineBytes = value },
            "token" => limits with { TokenBytes = value },
            "credential" => limits with { CredentialBytes = value },
            _ => throw new FormatException(setting),
        };
    }
}

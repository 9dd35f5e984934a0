using System.Collections.Immutable;
using System.Globalization;
using Sallyport.Mail.Smtp;

namespace Sallyport.Mail.Relaying;

/// <summary>What the next hop said it can do in its reply to EHLO (RFC 5321 §4.1.1.1). Nothing of it holds after HELO.</summary>
/// <param name="SizeMax">SIZE (RFC 1870); 0 when not limited or not said.</param>
/// <param name="RecipientsMax">RCPTMAX of LIMITS (RFC 9422); 0 when not said.</param>
/// <param name="MessagesMax">MAILMAX of LIMITS; 0 when not said.</param>
public sealed record NextHopCapabilities(
    bool StartTls,
    bool Pipelining,
    bool EightBitMime,
    bool SmtpUtf8,
    bool Dsn,
    bool Size,
    long SizeMax,
    int RecipientsMax,
    int MessagesMax,
    ImmutableArray<string> Mechanisms)
{
    public static NextHopCapabilities None { get; } = new(false, false, false, false, false, false, 0, 0, 0, []);

    public static NextHopCapabilities Read(Reply ehlo)
    {
        var found = None;
        foreach (var line in ehlo.Lines.Skip(1))
        {
            var words = line.ToUpperInvariant().Split([' ', '='], StringSplitOptions.RemoveEmptyEntries);
            found = words.Length == 0 ? found : found.With(words[0], words[1..]);
        }

        return found;
    }

    private NextHopCapabilities With(string keyword, string[] words) => keyword switch
    {
        "STARTTLS" => this with { StartTls = true },
        "PIPELINING" => this with { Pipelining = true },
        "8BITMIME" => this with { EightBitMime = true },
        "SMTPUTF8" => this with { SmtpUtf8 = true },
        "DSN" => this with { Dsn = true },
        "SIZE" => this with { Size = true, SizeMax = Number(words.FirstOrDefault()) },
        "AUTH" => this with { Mechanisms = [.. Mechanisms.Union(words)] },
        "LIMITS" => this with { RecipientsMax = Limit(words, "RCPTMAX"), MessagesMax = Limit(words, "MAILMAX") },
        _ => this,
    };

    private static long Number(string? word) =>
        long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static int Limit(string[] words, string name)
    {
        var at = Array.IndexOf(words, name);
        return at < 0 ? 0 : (int)Math.Min(Number(words.ElementAtOrDefault(at + 1)), int.MaxValue);
    }
}

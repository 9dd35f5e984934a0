using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Sallyport.Mail.Smtp;

namespace Sallyport.Mail.Relaying;

public enum ReplyState
{
    Incomplete,
    Complete,

    /// <summary>No SMTP reply, or one beyond the limits: the connection is not worth keeping.</summary>
    Malformed,
}

/// <summary>
/// Reads a next hop's replies (RFC 5321 §4.2.1) from pieces of any size. Liberal in text, strict in form. Of a reply that is longer than
/// anybody reads the beginning is kept and the rest thrown away, so that what a next hop says bounds nothing but itself.
/// </summary>
public sealed class ReplyParser
{
    /// <summary>Octets kept of one line.</summary>
    public const int LineBytesMax = 2048;

    /// <summary>Lines kept of one reply.</summary>
    public const int LinesMax = 128;

    /// <summary>Characters kept of one reply, codes not counted.</summary>
    public const int TextMax = 4096;

    /// <summary>Octets read of one reply; what goes on beyond them is no reply.</summary>
    public const int ReplyBytesMax = 64 * 1024;

    private readonly List<byte> _line = new(128);
    private readonly List<string> _texts = [];
    private int _bytes;
    private int _kept;
    private int _code;
    private bool _cut;

    /// <summary>The reply, after <see cref="ReplyState.Complete"/>.</summary>
    public Reply Reply { get; private set; } = new(0, null, "");

    /// <summary>Takes octets up to the end of one reply.</summary>
    public ReplyState Read(ReadOnlySpan<byte> input, out int consumed)
    {
        consumed = 0;
        while (consumed < input.Length)
        {
            var rest = input[consumed..];
            var end = rest.IndexOf((byte)'\n');
            var part = end < 0 ? rest : rest[..end];
            var taken = end < 0 ? part.Length : end + 1;
            consumed += taken;
            _bytes += taken;
            if (_bytes > ReplyBytesMax)
            {
                return ReplyState.Malformed;
            }

            var room = LineBytesMax - _line.Count;
            _cut |= part.Length > room;
            _line.AddRange(part[..Math.Min(part.Length, room)]);
            if (end >= 0 && TakeLine() is var state and not ReplyState.Incomplete)
            {
                return state;
            }
        }

        return ReplyState.Incomplete;
    }

    private ReplyState TakeLine()
    {
        var text = Encoding.UTF8.GetString([.. _line]).TrimEnd('\r');
        text = _cut ? text.TrimEnd('\uFFFD') : text; // half a character
        _line.Clear();
        _cut = false;
        if (text.Length < 3 || !int.TryParse(text.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            || code is < 200 or > 599 || (text.Length > 3 && text[3] is not (' ' or '-')) || (_texts.Count > 0 && code != _code))
        {
            return ReplyState.Malformed;
        }

        _code = code;
        Keep(text.Length > 4 ? Clean(text[4..]) : "");
        if (text.Length > 3 && text[3] == '-')
        {
            return ReplyState.Incomplete;
        }

        Reply = Make();
        _texts.Clear();
        _bytes = 0;
        _kept = 0;
        return ReplyState.Complete;
    }

    private void Keep(string text)
    {
        var room = TextMax - _kept;
        if (_texts.Count >= LinesMax || room <= 0)
        {
            return;
        }

        var length = Math.Min(text.Length, room);
        length -= length > 0 && length < text.Length && char.IsHighSurrogate(text[length - 1]) ? 1 : 0;
        _texts.Add(text[..length]);
        _kept += length;
    }

    /// <summary>The enhanced code (RFC 2034) stands before each line's text; it is kept once.</summary>
    private Reply Make()
    {
        var enhanced = EnhancedOf(_texts[0], _code);
        return enhanced is null
            ? new Reply(_code, null, [.. _texts])
            : new Reply(_code, enhanced, [.. _texts.Select(text => Without(text, enhanced.Value))]);
    }

    private static EnhancedCode? EnhancedOf(string text, int code)
    {
        var parts = text.Split(' ', 2)[0].Split('.');
        if (parts.Length != 3 || parts[0].Length != 1 || parts[0][0] - '0' != code / 100)
        {
            return null;
        }

        return Number(parts[1]) is { } subject && Number(parts[2]) is { } detail ? new EnhancedCode(code / 100, subject, detail) : null;
    }

    private static int? Number(string text) =>
        text.Length is > 0 and <= 3 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Without(string text, EnhancedCode enhanced)
    {
        var prefix = enhanced.ToString();
        return text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..].TrimStart(' ') : text;
    }

    private static string Clean(string text)
    {
        if (!text.Any(char.IsControl))
        {
            return text;
        }

        return string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
    }
}

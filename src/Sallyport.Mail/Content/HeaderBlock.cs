using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Sallyport.Mail.Smtp;

namespace Sallyport.Mail.Content;

/// <summary>A header block read strictly (RFC 5322 §2.2, §3.6): two readers of it must not see two different authors.</summary>
public sealed class HeaderBlock
{
    /// <summary>Fields that may stand once. To, Cc and Bcc too (RFC 5322 §3.6), but clients repeat those without harm.</summary>
    private static readonly string[] Singletons =
        ["From", "Sender", "Reply-To", "Date", "Message-ID", "Subject", "In-Reply-To", "References", "MIME-Version", "Content-Type",
            "Content-Transfer-Encoding"];

    private HeaderBlock(ReadOnlyMemory<byte> octets, ImmutableArray<HeaderField> fields)
    {
        Octets = octets;
        Fields = fields;
    }

    public ReadOnlyMemory<byte> Octets { get; }

    public ImmutableArray<HeaderField> Fields { get; }

    public bool Has(string name) => Fields.Any(field => field.Is(name));

    public string ValueOf(string name) =>
        Fields.FirstOrDefault(field => field.Is(name)) is { Name: not null } field ? field.Unfold(Octets.Span) : "";

    /// <summary>Reads the block; the reply says what is wrong with it, by line.</summary>
    public static (HeaderBlock? Block, Reply? Refusal) Parse(ReadOnlyMemory<byte> octets, SmtpLimits limits, bool smtpUtf8)
    {
        var fields = ImmutableArray.CreateBuilder<HeaderField>();
        var block = octets.Span;
        var line = 1;
        for (var start = 0; start < block.Length;)
        {
            var end = EndOfField(block, start, out var lines);
            var colon = block[start..end].IndexOf((byte)':');
            var problem = Judge(block[start..end], colon, smtpUtf8);
            if (problem is not null)
            {
                return (null, Bad(problem, line));
            }

            fields.Add(new HeaderField(Encoding.ASCII.GetString(block.Slice(start, colon)), start, start + colon + 1, end));
            if (fields.Count > limits.HeaderFields)
            {
                return (null, new Reply(552, new(5, 3, 4), string.Create(CultureInfo.InvariantCulture,
                    $"The header has more than {limits.HeaderFields} fields, the limit here")));
            }

            line += lines;
            start = end;
        }

        var twice = Singletons.FirstOrDefault(name => fields.Count(field => field.Is(name)) > 1);
        return twice is null
            ? (new HeaderBlock(octets, fields.ToImmutable()), null)
            : (null, new Reply(550, new(5, 6, 0), $"The message has more than one {twice} header (RFC 5322 section 3.6)"));
    }

    /// <summary>Behind the CRLF of the last line that belongs to the field: those that follow and begin with a blank.</summary>
    private static int EndOfField(ReadOnlySpan<byte> block, int start, out int lines)
    {
        lines = 0;
        var end = start;
        do
        {
            var newline = block[end..].IndexOf("\r\n"u8);
            end = newline < 0 ? block.Length : end + newline + 2;
            lines++;
        }
        while (end < block.Length && block[end] is (byte)' ' or (byte)'\t');
        return end;
    }

    private static string? Judge(ReadOnlySpan<byte> field, int colon, bool smtpUtf8)
    {
        if (field[0] is (byte)' ' or (byte)'\t')
        {
            return "begins with a blank";
        }

        if (colon <= 0)
        {
            return "is no header field; an empty line is missing above it";
        }

        if (field[..colon].ContainsAnyExceptInRange((byte)33, (byte)126))
        {
            return "has a blank or another forbidden character before the colon";
        }

        foreach (var octet in field[colon..])
        {
            if (octet is < 32 and not (byte)'\t' and not (byte)'\r' and not (byte)'\n' or 127)
            {
                return "has a control character";
            }
        }

        // Raw 8-bit text is only UTF-8's, and only with SMTPUTF8 (RFC 6532); what leaves must be right for the next hop.
        if (!Ascii.IsValid(field))
        {
            return !smtpUtf8 ? "has raw 8-bit text; it must be encoded (RFC 2047) or sent with SMTPUTF8"
                : Utf8.IsValid(field) ? null : "is not valid UTF-8";
        }

        return null;
    }

    private static Reply Bad(string problem, int line) => new(550, new(5, 6, 0),
        string.Create(CultureInfo.InvariantCulture, $"Line {line} of the header {problem} (RFC 5322 section 2.2)"));
}

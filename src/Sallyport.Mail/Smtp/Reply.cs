using System.Collections.Immutable;
using System.Text;

namespace Sallyport.Mail.Smtp;

/// <summary>
/// A reply (RFC 5321 §4.2): code, enhanced code where RFC 2034 asks for one, and one line of text or more.
/// Text is printable; what came from a client is escaped before it gets here.
/// </summary>
public sealed record Reply(int Code, EnhancedCode? Enhanced, ImmutableArray<string> Lines)
{
    public Reply(int code, EnhancedCode? enhanced, string line)
        : this(code, enhanced, [line])
    {
    }

    private byte[]? _octets;

    private Reply(Reply original)
    {
        (Code, Enhanced, Lines) = (original.Code, original.Enhanced, original.Lines); // not the octets: a copy says something else
    }

    public bool IsPositive => Code is >= 200 and < 400;

    public bool IsTransient => Code is >= 400 and < 500;

    public bool IsPermanent => Code is >= 500 and < 600;

    /// <summary>The octets on the wire, CRLF after every line. Made once: most replies are constants.</summary>
    public ReadOnlySpan<byte> Octets => _octets ??= Encoding.UTF8.GetBytes(ToWire());

    /// <summary>One line without CRLF, as logs and reports show it.</summary>
    public override string ToString() => ToWire().TrimEnd().Replace("\r\n", " ", StringComparison.Ordinal);

    public bool Equals(Reply? other) =>
        other is not null && Code == other.Code && Enhanced == other.Enhanced && Lines.AsSpan().SequenceEqual(other.Lines.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Code, Enhanced, Lines.Length);

    private string ToWire()
    {
        var text = new StringBuilder();
        for (var i = 0; i < Lines.Length; i++)
        {
            text.Append(Code).Append(i == Lines.Length - 1 ? ' ' : '-');
            if (Enhanced is { } enhanced)
            {
                text.Append(enhanced).Append(' ');
            }

            text.Append(Lines[i]).Append("\r\n");
        }

        return text.ToString();
    }
}

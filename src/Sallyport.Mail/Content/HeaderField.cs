using System.Text;

namespace Sallyport.Mail.Content;

/// <summary>A field of the header block: where its name, its value and its octets are. Folding is kept.</summary>
/// <param name="Start">First octet in the block.</param>
/// <param name="End">Just behind the CRLF that ends it.</param>
public readonly record struct HeaderField(string Name, int Start, int ValueStart, int End)
{
    public bool Is(string name) => string.Equals(Name, name, StringComparison.OrdinalIgnoreCase);

    /// <summary>The value with folding undone (RFC 5322 §2.2.3), trimmed.</summary>
    public string Unfold(ReadOnlySpan<byte> block) =>
        Encoding.UTF8.GetString(block[ValueStart..End]).Replace("\r\n", "", StringComparison.Ordinal).Trim();
}

using System.Text;

namespace Sallyport.Server.Intake;

/// <summary>Header fields the stages of one message add, the last one first, so that each stands above what it has seen.</summary>
public sealed class AddedFields
{
    private readonly List<string> _fields = [];

    public bool IsEmpty => _fields.Count == 0;

    /// <param name="name">RFC 5322 §2.2: printable ASCII without a colon.</param>
    /// <param name="body">Without its last CRLF. A line it is folded to begins with a blank or tab (§2.2.3).</param>
    /// <exception cref="ArgumentException">It would not be one field: a header could be forged with it.</exception>
    public void Add(string name, string body)
    {
        if (name.Length == 0 || name.Any(c => c is <= ' ' or >= (char)127 or ':'))
        {
            throw new ArgumentException($"\"{name}\" cannot be the name of a header field");
        }

        var unfolded = body.Replace("\r\n ", " ", StringComparison.Ordinal).Replace("\r\n\t", " ", StringComparison.Ordinal);
        if (unfolded.AsSpan().ContainsAny('\r', '\n', '\0'))
        {
            throw new ArgumentException($"the body of header field {name} has a newline that is not folding");
        }

        _fields.Insert(0, $"{name}: {body}\r\n");
    }

    /// <summary>The fields before the header.</summary>
    internal ReadOnlyMemory<byte> Before(ReadOnlyMemory<byte> header)
    {
        var added = string.Concat(_fields);
        var whole = new byte[Encoding.UTF8.GetByteCount(added) + header.Length];
        header.CopyTo(whole.AsMemory(Encoding.UTF8.GetBytes(added, whole)));
        return whole;
    }
}

using System.Buffers;
using System.Text;
using Sallyport.Mail.Addressing;

namespace Sallyport.Mail.Content;

/// <summary>Authentication-Results (RFC 8601 §2.2): who says so is its first word, whatever blanks, comments or quotes are around it.</summary>
internal static class AuthenticationResults
{
    private static readonly SearchValues<byte> Ends = SearchValues.Create(" \t\r\n()<>@,;:\\\"/[]?="u8);

    /// <summary>True when the field says to be from this host, and when it cannot be read: a reader might take it for ours.</summary>
    public static bool IsBy(string hostname, ReadOnlySpan<byte> value)
    {
        var i = 0;
        if (!Cfws.TrySkip(value, ref i))
        {
            return true;
        }

        var rest = value[i..];
        var end = rest.IndexOfAny(Ends);
        var id = i < value.Length && value[i] == '"' ? Cfws.TakeQuoted(value, ref i) : (end < 0 ? rest : rest[..end]).ToArray();
        return id is null || Comparable(Encoding.UTF8.GetString(id)) == Comparable(hostname);
    }

    private static string Comparable(string id)
    {
        var name = id.Trim().TrimEnd('.');
        return Mailbox.ToAsciiDomain(name) ?? name;
    }
}

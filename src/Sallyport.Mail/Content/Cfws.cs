using System.Text;

namespace Sallyport.Mail.Content;

/// <summary>CFWS (RFC 5322 §3.2.2): blanks, folding and comments between the words of a structured field.</summary>
internal static class Cfws
{
    private const int CommentDepthMax = 20;

    /// <summary>False for a comment without end, or nested too deep.</summary>
    /// <param name="comments">Gets the text of each comment.</param>
    public static bool TrySkip(ReadOnlySpan<byte> value, ref int i, List<string>? comments = null)
    {
        var depth = 0;
        var from = 0;
        for (; i < value.Length; i++)
        {
            switch (value[i])
            {
                case (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n':
                    break;
                case (byte)'(':
                    from = depth == 0 ? i + 1 : from;
                    if (++depth > CommentDepthMax)
                    {
                        return false;
                    }

                    break;
                case (byte)')' when depth > 0:
                    if (--depth == 0)
                    {
                        comments?.Add(Encoding.UTF8.GetString(value[from..i]));
                    }

                    break;
                case (byte)'\\' when depth > 0:
                    i++;
                    break;
                default:
                    if (depth == 0)
                    {
                        return true;
                    }

                    break;
            }
        }

        return depth == 0;
    }

    /// <summary>The content of the quoted string that begins here, its backslashes taken away; null when it has no end.</summary>
    public static byte[]? TakeQuoted(ReadOnlySpan<byte> value, ref int i)
    {
        var content = new List<byte>();
        for (i++; i < value.Length; i++)
        {
            if (value[i] == '"')
            {
                i++;
                return [.. content];
            }

            if (value[i] == '\\' && ++i >= value.Length)
            {
                break;
            }

            if (value[i] is not ((byte)'\r' or (byte)'\n')) // folding
            {
                content.Add(value[i]);
            }
        }

        return null;
    }
}

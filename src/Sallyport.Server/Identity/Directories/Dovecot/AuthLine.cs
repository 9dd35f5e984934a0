using System.Text;

namespace Sallyport.Server.Identity.Directories.Dovecot;

/// <summary>
/// A line of Dovecot's auth-client protocol: fields between tabs, in which tab, CR, LF, NUL and 0x01 are escaped with 0x01.
/// </summary>
internal static class AuthLine
{
    /// <summary>Dovecot drops a connection whose lines are longer (AUTH_CLIENT_MAX_LINE_LENGTH).</summary>
    public const int BytesMax = 8000;

    private const char Escape = '\u0001';

    public static string Write(params IEnumerable<string> fields) => string.Join('\t', fields.Select(Escaped)) + "\n";

    public static string[] Read(string line) => [.. line.Split('\t').Select(Unescaped)];

    /// <summary>"name=value"; null when the field is not there, empty for a bare "name".</summary>
    public static string? Find(IEnumerable<string> fields, string name)
    {
        foreach (var field in fields)
        {
            if (field == name)
            {
                return "";
            }

            if (field.StartsWith(name, StringComparison.Ordinal) && field.Length > name.Length && field[name.Length] == '=')
            {
                return field[(name.Length + 1)..];
            }
        }

        return null;
    }

    private static string Escaped(string field)
    {
        if (!field.AsSpan().ContainsAny("\t\r\n\0\u0001"))
        {
            return field;
        }

        var text = new StringBuilder(field.Length + 8);
        foreach (var c in field)
        {
            _ = c switch
            {
                '\0' => text.Append(Escape).Append('0'),
                Escape => text.Append(Escape).Append('1'),
                '\t' => text.Append(Escape).Append('t'),
                '\r' => text.Append(Escape).Append('r'),
                '\n' => text.Append(Escape).Append('n'),
                _ => text.Append(c),
            };
        }

        return text.ToString();
    }

    private static string Unescaped(string field)
    {
        if (!field.Contains(Escape, StringComparison.Ordinal))
        {
            return field;
        }

        var text = new StringBuilder(field.Length);
        for (var i = 0; i < field.Length; i++)
        {
            text.Append(field[i] != Escape || i + 1 == field.Length ? field[i] : field[++i] switch
            {
                '0' => '\0',
                '1' => Escape,
                't' => '\t',
                'r' => '\r',
                'n' => '\n',
                var other => other,
            });
        }

        return text.ToString();
    }
}

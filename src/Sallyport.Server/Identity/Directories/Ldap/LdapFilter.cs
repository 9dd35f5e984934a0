using System.Globalization;
using System.Text;

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>Search filters (RFC 4515).</summary>
public static class LdapFilter
{
    /// <summary>A value as it may stand in a filter (RFC 4515 §3): nothing in it can end the value or match more than itself.</summary>
    public static string Escape(string value)
    {
        var escaped = new StringBuilder(value.Length + 8);
        foreach (var c in value)
        {
            if (c is '*' or '(' or ')' or '\\' || c < ' ' || c == '\x7f')
            {
                escaped.Append('\\').Append(((int)c).ToString("x2", CultureInfo.InvariantCulture));
            }
            else
            {
                escaped.Append(c);
            }
        }

        return escaped.ToString();
    }

    /// <summary>Fills {name} in with an escaped value. One pass: what is filled in is not looked at again.</summary>
    public static string Fill(string filter, params ReadOnlySpan<(string Name, string Value)> values)
    {
        var filled = new StringBuilder(filter.Length + 64);
        for (var i = 0; i < filter.Length;)
        {
            var length = 0;
            foreach (var (name, value) in values)
            {
                var place = "{" + name + "}";
                if (string.CompareOrdinal(filter, i, place, 0, place.Length) == 0)
                {
                    filled.Append(Escape(value));
                    length = place.Length;
                    break;
                }
            }

            if (length == 0)
            {
                filled.Append(filter[i]);
                length = 1;
            }

            i += length;
        }

        return filled.ToString();
    }
}

using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;

namespace Sallyport.Server.Identity.Directories.Hashes;

/// <summary>A line of a hash file.</summary>
/// <param name="Stored">The hash as it is written: in a form we know.</param>
/// <param name="Addresses">In canonical form, the login's own among them when it is an address.</param>
internal sealed record HashedAccount(string Login, string Stored, ImmutableArray<string> Addresses, ImmutableArray<string> Groups)
{
    /// <summary>Further names of the login.</summary>
    public ImmutableArray<string> Aliases { get; init; } = [];

    /// <summary>It stays in the file and may not log in.</summary>
    public bool Disabled { get; init; }

    public PasswordHash Hash => PasswordHash.Parse(Stored)!;

    /// <summary>Digest of the stored text: changes when the password is set anew at its source.</summary>
    public byte[] Digest => SHA256.HashData(Encoding.UTF8.GetBytes(Stored));

    /// <summary>Do they say the same, however they were written?</summary>
    public bool SaysTheSameAs(HashedAccount other) =>
        (Login, Stored, Disabled) == (other.Login, other.Stored, other.Disabled)
        && Addresses.SequenceEqual(other.Addresses) && Groups.SequenceEqual(other.Groups) && Aliases.SequenceEqual(other.Aliases);

    public override string ToString() => Login;
}

/// <summary>
/// login:hash[:addresses[:groups[:marks]]]; lists are separated by commas; a backslash before a colon, a comma, a backslash or, at the
/// beginning, a number sign makes it plain. Marks are "disabled" and "alias=NAME".
/// </summary>
internal static class HashFileLine
{
    private const string DisabledMark = "disabled";
    private const string AliasMark = "alias=";

    /// <summary>The account, or what is wrong with the line; the hash is not in it.</summary>
    public static (HashedAccount? Account, string? Mistake) Parse(string line)
    {
        var parts = Split(line, ':');
        if (parts.Count is < 2 or > 5)
        {
            return (null, "is not login:hash:addresses:groups:marks");
        }

        if (Credentials.PrepareLogin(Unescape(parts[0])) is not { } login)
        {
            return (null, "the login cannot be one");
        }

        var stored = Unescape(parts[1]);
        if (PasswordHash.Parse(stored) is null)
        {
            return (null, $"the password of {login} is in no form this server knows");
        }

        var addresses = Items(parts, 2).Select(text => (text, ok: MailboxParser.TryParse(text, out var mailbox), mailbox)).ToList();
        if (addresses.FirstOrDefault(address => !address.ok) is { text: { } wrong })
        {
            return (null, $"\"{wrong}\" of {login} is not a mail address");
        }

        var marks = Items(parts, 4).ToList();
        var aliases = marks.Where(IsAlias).Select(mark => Credentials.PrepareLogin(mark[AliasMark.Length..])).ToList();
        return marks.FirstOrDefault(mark => mark != DisabledMark && !IsAlias(mark)) is { } unknown
            ? (null, $"\"{unknown}\" of {login} is no mark; {DisabledMark} and {AliasMark}NAME are")
            : aliases.Contains(null) ? (null, $"an alias of {login} cannot be a login")
            : (new HashedAccount(
                login, stored, WithOwn(login, addresses.Select(address => address.mailbox!.Canonical)), [.. Items(parts, 3)])
            {
                Aliases = [.. aliases.OfType<string>()],
                Disabled = marks.Contains(DisabledMark),
            }, null);
    }

    public static string Format(HashedAccount account)
    {
        var marks = account.Aliases.Select(alias => AliasMark + alias);
        marks = account.Disabled ? marks.Prepend(DisabledMark) : marks;
        string[] parts =
        [
            Escape(account.Login, ":#"), Escape(account.Stored, ":"),
            List(account.Addresses.LastOrDefault() == account.Login ? account.Addresses[..^1] : account.Addresses), List(account.Groups), List(marks),
        ];
        var last = Array.FindLastIndex(parts, part => part.Length > 0);
        return string.Join(':', parts[..(last + 1)]);
    }

    /// <summary>With the login's own address, behind the others where it is not among them.</summary>
    public static ImmutableArray<string> WithOwn(string login, IEnumerable<string> addresses)
    {
        var own = MailboxParser.TryParse(login, out var mailbox) ? new[] { mailbox!.Canonical } : [];
        return [.. addresses.Concat(own).Distinct(StringComparer.Ordinal)];
    }

    private static bool IsAlias(string mark) => mark.StartsWith(AliasMark, StringComparison.Ordinal);

    private static string List(IEnumerable<string> items) => string.Join(',', items.Select(item => Escape(item, ":,")));

    private static IEnumerable<string> Items(List<string> parts, int at) => parts.Count > at
        ? Split(parts[at], ',').Select(item => Unescape(item.Trim())).Where(item => item.Length > 0) : [];

    private static string Escape(string text, string special)
    {
        if (text.AsSpan().IndexOfAny(special) < 0 && !text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        var escaped = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            var isSpecial = special.Contains(text[i], StringComparison.Ordinal) && (text[i] != '#' || i == 0);
            escaped.Append(isSpecial || text[i] == '\\' ? "\\" : "").Append(text[i]);
        }

        return escaped.ToString();
    }

    private static bool IsEscape(string text, int at) => text[at] == '\\' && at + 1 < text.Length && text[at + 1] is ':' or ',' or '\\' or '#';

    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        var plain = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            i += IsEscape(text, i) ? 1 : 0;
            plain.Append(text[i]);
        }

        return plain.ToString();
    }

    private static List<string> Split(string text, char separator)
    {
        var parts = new List<string>();
        var from = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (IsEscape(text, i))
            {
                i++;
            }
            else if (text[i] == separator)
            {
                parts.Add(text[from..i]);
                from = i + 1;
            }
        }

        parts.Add(text[from..]);
        return parts;
    }
}

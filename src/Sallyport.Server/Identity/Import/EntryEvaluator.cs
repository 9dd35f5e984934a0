using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Identity.Directories.Hashes;
using Sallyport.Server.Identity.Directories.Ldap;

namespace Sallyport.Server.Identity.Import;

/// <summary>An account as it was found.</summary>
/// <param name="Account">Its stored text is empty where there is no hash we can check.</param>
/// <param name="Plain">The password itself, to be hashed.</param>
internal sealed record FoundAccount(int Line, HashedAccount Account, string? Plain)
{
    public bool HasPassword => Account.Stored.Length > 0 || Plain is not null;

    public override string ToString() => Account.Login;
}

/// <summary>Makes an account of an entry, or says why there is none. Counts forms on the way.</summary>
/// <param name="isTable">Several values may be in one field, parted by semicolons or lines.</param>
internal sealed class EntryEvaluator(ImportMapping mapping, bool isTable, bool hashPlain, DateTimeOffset now, ImportNotes notes)
{
    private const int AddressesMax = 500;

    /// <summary>Null when the entry was skipped or passed over, which the notes have.</summary>
    public FoundAccount? Evaluate(ImportRecord.Entry entry)
    {
        var names = Names(entry).Distinct(StringComparer.Ordinal).ToImmutableArray();
        var passwords = mapping.Passwords.SelectMany(field => entry.All(field)).Where(text => !string.IsNullOrWhiteSpace(text))
            .Select(text => FoundPassword.Of(text, mapping.IsDomino)).ToList();
        if (passwords.Count == 0 && (names.IsEmpty || !AccountMarks.MayBePerson(entry)))
        {
            notes.PassedOver++;
            return null;
        }

        if (names.IsEmpty)
        {
            notes.Skip(entry.Line, $"{entry.Name} has a password and no login in {string.Join(", ", mapping.Logins)}");
            return null;
        }

        var whyDisabled = AccountMarks.WhyDisabled(entry, now) ?? (passwords is [FoundPassword.Locked] ? "its password is locked" : null);
        var account = new HashedAccount(names[0], "", HashFileLine.WithOwn(names[0], Addresses(entry)), Groups(entry))
        {
            Aliases = names[1..],
            Disabled = whyDisabled is not null,
        };
        if (whyDisabled is not null)
        {
            notes.Warn(entry.Line, "disabled", $"{account.Login}: {whyDisabled}; it cannot log in");
        }

        return WithPassword(entry, account, passwords);
    }

    private FoundAccount WithPassword(ImportRecord.Entry entry, HashedAccount account, List<FoundPassword> found)
    {
        var best = found.OfType<FoundPassword.Hash>().OrderBy(hash => hash.IsWeak).FirstOrDefault();
        if (best is not null)
        {
            notes.CountForm(best.Form, imported: true, best.IsWeak);
            return new FoundAccount(entry.Line, account with { Stored = best.Text }, null);
        }

        if (found.OfType<FoundPassword.Plain>().FirstOrDefault() is { } plain)
        {
            var password = hashPlain ? Credentials.Prepare(plain.Password) : null;
            notes.CountForm(plain.Form, imported: !string.IsNullOrEmpty(password), weak: string.IsNullOrEmpty(password));
            if (!string.IsNullOrEmpty(password))
            {
                return new FoundAccount(entry.Line, account, password);
            }

            notes.Skip(entry.Line, $"{account.Login}: its password "
                + (hashPlain ? "has a character no password can have" : "is plain text; --hash-plain hashes it"));
        }
        else if (found.Count > 0)
        {
            notes.CountForm(found[0].Form, imported: false, weak: false);
            if (found[0] is not FoundPassword.Locked)
            {
                notes.Skip(entry.Line, $"{account.Login}: its password is in a form this server does not know ({found[0].Form})");
            }
        }
        else
        {
            notes.Skip(entry.Line, $"{account.Login} has no password in {string.Join(", ", mapping.Passwords)}");
        }

        return new FoundAccount(entry.Line, account, null);
    }

    private IEnumerable<string> Names(ImportRecord.Entry entry)
    {
        foreach (var field in mapping.Logins)
        {
            var values = field == "dn" ? [entry.Name] : Items(entry, field);
            foreach (var value in values.SelectMany(value => mapping.IsDomino ? DominoNames(value, field) : [value]))
            {
                if (Credentials.PrepareLogin(value) is { } login)
                {
                    yield return login;
                }
            }
        }
    }

    /// <summary>A hierarchical name in each spelling Domino takes: CN=Jane Doe/O=Acme, Jane Doe/Acme, CN=Jane Doe,O=Acme.</summary>
    private static IEnumerable<string> DominoNames(string value, string field)
    {
        var name = DominoName.Parse(value);
        if (!name.IsHierarchical)
        {
            return field == "dn" ? [name.Search] : [value];
        }

        var abbreviated = string.Join('/', name.Parts.Select(part => part.Value));
        return name.IsCanonical
            ? [string.Join('/', name.Parts.Select(part => $"{part.Key.ToUpperInvariant()}={part.Value}")), abbreviated,
                string.Join(',', name.Parts.Select(part => $"{part.Key}={part.Value}"))]
            : [abbreviated];
    }

    private ImmutableArray<string> Addresses(ImportRecord.Entry entry)
    {
        const string Smtp = "smtp:";
        var found = new List<string>();
        foreach (var value in mapping.Addresses.SelectMany(field => Items(entry, field)))
        {
            var text = value.StartsWith(Smtp, StringComparison.OrdinalIgnoreCase) ? value[Smtp.Length..] : value;
            if (MailboxParser.TryParse(text, out var mailbox))
            {
                found.Add(mailbox!.Canonical);
            }
            else if (!text.Contains(':', StringComparison.Ordinal)) // x500:, sip: and the like are none of ours
            {
                notes.Warn(entry.Line, "note", $"{entry.Name}: \"{text}\" is not a mail address and is left out");
            }
        }

        return [.. found.Distinct(StringComparer.Ordinal).Take(AddressesMax)];
    }

    private ImmutableArray<string> Groups(ImportRecord.Entry entry) =>
        [.. mapping.Groups.SelectMany(field => Items(entry, field)).Select(LdapLookup.ToGroup)
            .Where(static group => !group.Any(char.IsControl)).Distinct(StringComparer.OrdinalIgnoreCase)];

    private IEnumerable<string> Items(ImportRecord.Entry entry, string field) => !isTable ? entry.All(field) : entry.All(field)
        .SelectMany(value => value.Split([';', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}

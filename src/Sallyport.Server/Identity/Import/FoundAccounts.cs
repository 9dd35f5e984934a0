using System.Diagnostics.CodeAnalysis;
using Sallyport.Server.Identity.Directories.Hashes;

namespace Sallyport.Server.Identity.Import;

/// <summary>What was found, by login: the first entry of a login counts.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "It is not a collection to its users")]
internal sealed class FoundAccounts(ImportNotes notes)
{
    private readonly Dictionary<string, FoundAccount> _byLogin = new(StringComparer.Ordinal);

    private long _characters;

    public ICollection<FoundAccount> All => _byLogin.Values;

    /// <summary>False when there is more than a hash file can hold.</summary>
    public bool Add(FoundAccount found)
    {
        if (!_byLogin.TryAdd(found.Account.Login, found))
        {
            notes.Skip(found.Line, $"{found.Account.Login} is in line {_byLogin[found.Account.Login].Line} already, and the first one counts");
            return true;
        }

        _characters += found.Account.Login.Length + found.Account.Stored.Length + found.Account.Addresses.Sum(address => address.Length)
            + found.Account.Groups.Sum(group => group.Length) + found.Account.Aliases.Sum(alias => alias.Length);
        return _characters <= HashFile.BytesMax;
    }

    public FoundAccount? Find(string login) => _byLogin.GetValueOrDefault(login);

    /// <summary>A name that two have says nothing: it is neither's alias, and a login's own name is no other's.</summary>
    public void DropSharedAliases()
    {
        var owners = new Dictionary<string, FoundAccount>(StringComparer.Ordinal);
        var shared = new HashSet<string>(StringComparer.Ordinal);
        foreach (var found in All)
        {
            foreach (var alias in found.Account.Aliases)
            {
                if (_byLogin.TryGetValue(alias, out var other) || !owners.TryAdd(alias, found))
                {
                    other ??= owners[alias];
                    shared.Add(alias);
                    notes.Warn(found.Line, "duplicate",
                        $"{found.Account.Login} and {other.Account.Login} (line {other.Line}) both go by {alias}: it is not a name of "
                        + (other.Account.Login == alias ? found.Account.Login : "either"));
                }
            }
        }

        foreach (var found in All.Where(one => one.Account.Aliases.Any(shared.Contains)).ToList())
        {
            _byLogin[found.Account.Login] = found with
            {
                Account = found.Account with { Aliases = [.. found.Account.Aliases.Where(alias => !shared.Contains(alias))] },
            };
        }
    }
}

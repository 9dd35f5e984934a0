using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Chain;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Grants;

/// <summary>Makes a login's grant: the union of what its directory says, the configuration and the commands.</summary>
public sealed class GrantResolver(
    ImmutableArray<GrantOptions> configured, ImmutableArray<SenderModeOptions> modes, GrantRegistry book, DirectoryChain chain)
{
    private readonly ImmutableArray<GrantRule> _configured =
    [
        .. from options in configured
           from to in options.To
           from granted in options.As
           select new GrantRule(to, granted, $"[[grant]] in line {options.Line}"),
    ];

    public IEnumerable<GrantRule> Rules => _configured.Concat(book.Rules);

    public async ValueTask<Grant> ResolveAsync(DirectoryEntry entry, CancellationToken cancel)
    {
        var rights = entry.Addresses.Select(address => new GrantedRight(address, "directory " + entry.Directory)).ToList();
        var addresses = new List<string>(entry.Addresses);
        var patterns = new List<SenderPattern>();
        foreach (var rule in Rules.Where(rule => rule.IsFor(entry.Login, entry.Groups)))
        {
            if (rule.Delegator is { } delegator)
            {
                var theirs = await AddressesOfAsync(delegator, cancel);
                addresses.AddRange(theirs);
                rights.AddRange(theirs.Select(address => new GrantedRight(address, $"{rule.Source}, as {delegator}")));
            }
            else if (rule.Pattern is { } pattern)
            {
                rights.Add(new GrantedRight(pattern.ToString(), rule.Source));
                (pattern.IsAddress ? (Action)(() => addresses.Add(pattern.ToString())) : () => patterns.Add(pattern))();
            }
        }

        return new Grant(entry.Login, entry.Directory, [.. addresses.Distinct(StringComparer.Ordinal)])
        {
            Groups = entry.Groups,
            Patterns = [.. patterns.Distinct()],
            Mode = ModeOf(entry),
            Rights = [.. rights],
        };
    }

    /// <summary>Who could use this address, and by which right. What a directory cannot list, a group's members, is named as it is.</summary>
    public async ValueTask<IReadOnlyList<GrantedRight>> WhoMaySendAsAsync(
        Mailbox mailbox, IEnumerable<DirectoryEntry> accounts, CancellationToken cancel)
    {
        var canonical = mailbox.Canonical;
        var found = new List<GrantedRight>();
        var known = accounts.ToList();
        foreach (var directory in chain.Directories.OfType<IAddressDirectory>())
        {
            known.AddRange(await directory.FindByAddressAsync(canonical, cancel));
        }

        found.AddRange(known.Where(entry => SenderPolicy.MayUse(new Grant(entry.Login, entry.Directory, entry.Addresses), mailbox))
            .Select(entry => new GrantedRight(entry.Login, "directory " + entry.Directory)));
        foreach (var rule in Rules)
        {
            var covers = rule.Delegator is { } delegator
                ? SenderPolicy.MayUse(new Grant(delegator, "", await AddressesOfAsync(delegator, cancel)), mailbox)
                : rule.Pattern?.Matches(mailbox) == true;
            if (covers)
            {
                found.Add(new GrantedRight(rule.To, $"{rule.Source}: {rule.As}"));
            }
        }

        return found;
    }

    /// <summary>The first rule that is for the login decides.</summary>
    private SenderMode ModeOf(DirectoryEntry entry) =>
        modes.FirstOrDefault(rule => rule.For.Any(subject => new GrantRule(subject, "", "").IsFor(entry.Login, entry.Groups)))?.Mode
        ?? SenderMode.Refuse;

    /// <summary>What a login's own directory grants it: a delegation is not passed on. Nothing while its directory cannot say.</summary>
    private async ValueTask<ImmutableArray<string>> AddressesOfAsync(string login, CancellationToken cancel)
    {
        foreach (var directory in chain.Directories)
        {
            // One that cannot say now is passed over: the next one may.
            if (await chain.FindInAsync(directory.Name, login, cancel) is LoginVerdict.Granted found)
            {
                return found.Entry.Addresses;
            }
        }

        return [];
    }
}

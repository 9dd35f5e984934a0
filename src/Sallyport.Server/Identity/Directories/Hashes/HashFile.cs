using System.Collections.Immutable;

namespace Sallyport.Server.Identity.Directories.Hashes;

/// <summary>The accounts of a hash file; # begins a comment. A line that cannot be used is left out and named; the others serve.</summary>
/// <param name="Accounts">By each of their names.</param>
/// <param name="People">Each once.</param>
internal sealed record HashFile(
    IReadOnlyDictionary<string, HashedAccount> Accounts, ImmutableArray<HashedAccount> People, ImmutableArray<string> Mistakes)
{
    /// <summary>Of a file, so that it stays in memory.</summary>
    public const long BytesMax = 64L * 1024 * 1024;

    public static HashFile Parse(IEnumerable<string> lines)
    {
        var accounts = new Dictionary<string, HashedAccount>(StringComparer.Ordinal);
        var mistakes = ImmutableArray.CreateBuilder<string>();
        var aliased = new List<(HashedAccount Account, int Line)>();
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            if (IsComment(line))
            {
                continue;
            }

            var (account, mistake) = HashFileLine.Parse(line);
            if (account is null || !accounts.TryAdd(account.Login, account))
            {
                mistakes.Add($"line {number}: {mistake ?? "this login is there already"}");
            }
            else if (!account.Aliases.IsEmpty)
            {
                aliased.Add((account, number));
            }
        }

        ImmutableArray<HashedAccount> people = [.. accounts.Values];
        AddAliases(accounts, aliased, mistakes);
        return new HashFile(accounts, people, mistakes.ToImmutable());
    }

    public static bool IsComment(string line) => line.AsSpan().Trim().IsEmpty || line[0] == '#';

    /// <summary>A name that two have is nobody's alias.</summary>
    private static void AddAliases(
        Dictionary<string, HashedAccount> accounts, List<(HashedAccount Account, int Line)> aliased, ImmutableArray<string>.Builder mistakes)
    {
        var owners = new Dictionary<string, HashedAccount?>(StringComparer.Ordinal);
        foreach (var (account, line) in aliased)
        {
            foreach (var alias in account.Aliases.Where(alias => alias != account.Login))
            {
                var isFree = !accounts.ContainsKey(alias) && !owners.ContainsKey(alias);
                if (!isFree && owners.GetValueOrDefault(alias) != account)
                {
                    mistakes.Add($"line {line}: the alias {alias} is another's too, and nobody's therefore");
                }

                owners[alias] = isFree || owners.GetValueOrDefault(alias) == account ? account : null;
            }
        }

        foreach (var (alias, account) in owners)
        {
            if (account is not null)
            {
                accounts.TryAdd(alias, account);
            }
        }
    }
}

using System.Globalization;
using Sallyport.Server.Identity.Directories.Hashes;
using Sallyport.Server.Identity.Passwords;

namespace Sallyport.Server.Identity.Import;

/// <summary>The lines of a hash file after an import, and what is new in them. Comments and the order of lines stay.</summary>
internal sealed class HashFileChange
{
    private const string Head = "# Logins and password hashes: login:hash:addresses:groups:marks. Made by `sallyport import`.";

    private readonly FoundAccounts _found;
    private readonly ImportNotes _notes;
    private readonly bool _replace;
    private readonly Dictionary<string, string> _hashed;
    private readonly HashSet<string> _placed = new(StringComparer.Ordinal);
    private readonly List<string> _lines = [];

    public HashFileChange(IEnumerable<string> old, FoundAccounts found, bool replace, ImportNotes notes)
    {
        (_found, _replace, _notes) = (found, replace, notes);
        var lines = old.ToList();
        _hashed = HashPlain(found, lines);
        lines.ForEach(Place);
        if (lines.Count == 0)
        {
            _lines.Add(Head);
        }

        foreach (var one in found.All.Where(one => !_placed.Contains(one.Account.Login)))
        {
            Append(one);
        }
    }

    public IReadOnlyList<string> Lines => _lines;

    public int Accounts => Imported + Kept;

    public int Imported => Added + Changed + Unchanged;

    public int Added { get; private set; }

    public int Changed { get; private set; }

    public int Unchanged { get; private set; }

    public int Kept { get; private set; }

    public int Removed { get; private set; }

    public int Disabled { get; private set; }

    private void Place(string line)
    {
        if (HashFile.IsComment(line))
        {
            _lines.Add(line);
            return;
        }

        var (old, mistake) = HashFileLine.Parse(line);
        if (old is null || !_placed.Add(old.Login))
        {
            PlaceUseless(line, mistake ?? $"{old!.Login} is there already");
            return;
        }

        if (_found.Find(old.Login) is not { } found || (_replace && !found.HasPassword))
        {
            Keep(line, old);
            return;
        }

        if (!found.HasPassword)
        {
            _notes.Warn(found.Line, "note", $"{old.Login} is in the directory's file and keeps the password it had");
        }

        var account = Whole(found, old);
        var same = account.SaysTheSameAs(old);
        (Unchanged, Changed) = (Unchanged + (same ? 1 : 0), Changed + (same ? 0 : 1));
        Disabled += account.Disabled ? 1 : 0;
        _lines.Add(same ? line : HashFileLine.Format(account));
    }

    private void PlaceUseless(string line, string why)
    {
        _notes.Warn(0, "note", $"a line of the directory's file cannot be used and is {(_replace ? "removed" : "kept")}: {why}");
        Removed += _replace ? 1 : 0;
        if (!_replace)
        {
            _lines.Add(line);
        }
    }

    private void Keep(string line, HashedAccount old)
    {
        Kept += _replace ? 0 : 1;
        Removed += _replace ? 1 : 0;
        if (!_replace)
        {
            Disabled += old.Disabled ? 1 : 0;
            _lines.Add(line);
        }
    }

    private void Append(FoundAccount found)
    {
        var account = Whole(found, null);
        if (account.Stored.Length == 0)
        {
            return; // without a hash it cannot be added; the notes say why
        }

        Added++;
        Disabled += account.Disabled ? 1 : 0;
        _lines.Add(HashFileLine.Format(account));
    }

    /// <summary>With its hash: as found, made of the plain password, or the one it had.</summary>
    private HashedAccount Whole(FoundAccount found, HashedAccount? old) => found.Account.Stored.Length > 0 ? found.Account
        : found.Account with { Stored = _hashed.GetValueOrDefault(found.Account.Login) ?? old?.Stored ?? "" };

    /// <summary>Slow by intent, on all processors. A password that an old line has in a strong form keeps that.</summary>
    private static Dictionary<string, string> HashPlain(FoundAccounts found, List<string> lines)
    {
        var plain = found.All.Where(one => one.Plain is not null).ToList();
        if (plain.Count == 0)
        {
            return [];
        }

        var old = lines.Where(line => !HashFile.IsComment(line)).Select(line => HashFileLine.Parse(line).Account).OfType<HashedAccount>()
            .DistinctBy(account => account.Login).ToDictionary(account => account.Login, StringComparer.Ordinal);
        var stored = new string[plain.Count];
        Parallel.For(0, plain.Count, i => stored[i] = Strong(plain[i].Plain!, old.GetValueOrDefault(plain[i].Account.Login)));
        return plain.Zip(stored).ToDictionary(pair => pair.First.Account.Login, pair => pair.Second, StringComparer.Ordinal);
    }

    private static string Strong(string password, HashedAccount? old)
    {
        if (old?.Hash is { IsWeak: false } hash && hash.Matches(password))
        {
            return old.Stored;
        }

        var made = PasswordHasher.CreateVerifier(password);
        return string.Create(CultureInfo.InvariantCulture,
            $"{{SCRAM-SHA-256}}{made.Iterations},{Base64(made.Salt)},{Base64(made.StoredKey)},{Base64(made.ServerKey)}");
    }

    private static string Base64(ReadOnlyMemory<byte> octets) => Convert.ToBase64String(octets.Span);
}

using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Tests.Fakes;

/// <summary>A directory of people with several names each, that counts what it is asked.</summary>
internal class PeopleDirectory(string name) : IPasswordDirectory
{
    /// <summary>Every name of a person, with what the directory knows.</summary>
    public Dictionary<string, DirectoryEntry> People { get; } = new(StringComparer.Ordinal);

    /// <summary>By canonical login.</summary>
    public Dictionary<string, string> Passwords { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Disabled { get; } = new(StringComparer.Ordinal);

    public bool Away { get; set; }

    public List<string> Checked { get; } = [];

    public int LookedUp { get; private set; }

    public string Name => name;

    public PeopleDirectory With(string login, string password, string[] addresses, string[] groups, params string[] names)
    {
        foreach (var one in names.Prepend(login))
        {
            People[one] = new DirectoryEntry(login, name, [.. addresses], [.. groups]);
        }

        Passwords[login] = password;
        return this;
    }

    public ValueTask<LoginVerdict> CheckPasswordAsync(string login, string password, CancellationToken cancel)
    {
        Checked.Add(password);
        return new(Answer(login) is LoginVerdict.Granted { Entry.Login: var known } && Passwords[known] != password
            ? new LoginVerdict.Denied(LoginReason.WrongPassword)
            : Answer(login));
    }

    public virtual ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel)
    {
        LookedUp++;
        return new(Answer(login));
    }

    private LoginVerdict Answer(string login) => Away ? new LoginVerdict.Unavailable(name + " is away")
        : !People.TryGetValue(login, out var entry) ? new LoginVerdict.Denied(LoginReason.UnknownLogin)
        : Disabled.Contains(entry.Login) ? new LoginVerdict.Denied(LoginReason.Disabled)
        : new LoginVerdict.Granted(entry);
}

/// <summary>The same as a mailbox server: it proves passwords and shows nobody.</summary>
internal sealed class MuteDirectory(string name) : PeopleDirectory(name), INamingDirectory
{
    public DirectoryEntry EntryOf(string login) => new(login, Name, [login], []);

    public override ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel) =>
        new(new LoginVerdict.Denied(LoginReason.CannotLookUp));
}

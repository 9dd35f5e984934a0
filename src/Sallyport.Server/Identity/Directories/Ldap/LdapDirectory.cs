using System.Collections.Immutable;
using System.DirectoryServices.Protocols;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>
/// The site's LDAP directory. A login is looked for, and only when exactly one entry is found its password is tried by a simple bind on
/// a connection of its own: nobody unknown is ever bound. Or, as typed, the bind comes first.
/// </summary>
public sealed class LdapDirectory : IExplainingDirectory, ITryableDirectory, IDisposable
{
    private readonly LdapDirectoryOptions _options;
    private readonly TimeProvider _time;
    private readonly LdapThreads _threads;
    private readonly LdapClient _client;
    private readonly LdapLookup _lookup;

    public LdapDirectory(LdapDirectoryOptions options, TimeProvider time, Action<string> notice)
    {
        (_options, _time) = (options, time);
        _threads = new LdapThreads(options.Name, options.ConnectionsMax);
        _client = new LdapClient(options, time, text => notice($"directory {options.Name}: {text}"));
        _lookup = new LdapLookup(options);
    }

    public string Name => _options.Name;

    public ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel) =>
        _options is { BindAsTyped: true, BindDn: null }
            ? ValueTask.FromResult<LoginVerdict>(new LoginVerdict.Denied(LoginReason.CannotLookUp))
            : AskAsync(null, question => Find(login, question), cancel);

    public ValueTask<LoginVerdict> CheckPasswordAsync(string login, string password, CancellationToken cancel) =>
        CheckAsync(login, password, null, cancel);

    public ValueTask<LoginVerdict> CheckPasswordAsync(string login, string password, IList<DirectoryStep> steps, CancellationToken cancel) =>
        CheckAsync(login, password, steps, cancel);

    public async ValueTask<ImmutableArray<DirectoryStep>> TryAsync(CancellationToken cancel)
    {
        var tries = _options.Servers.Select(async server =>
        {
            var answer = await AskAsync(null, question => Try(server, question), cancel);
            return new DirectoryStep($"directory {Name}, {server}", answer is LoginVerdict.Unavailable ? "failed" : "ok", answer switch
            {
                LoginVerdict.Unavailable unavailable => unavailable.Why,
                _ => $"answers; {(server.ImplicitTls ? "TLS" : _options.StartTls ? "StartTLS" : "no TLS")}, "
                    + (_options.BindDn is { } who ? $"bound as {who}" : "nobody bound"),
            });
        });
        return [.. await Task.WhenAll(tries)];
    }

    public void Dispose()
    {
        _threads.Dispose();
        _client.Dispose();
    }

    private ValueTask<LoginVerdict> CheckAsync(string login, string password, IList<DirectoryStep>? steps, CancellationToken cancel) =>
        password.Length == 0
            // RFC 4513 §5.1.2: a bind with a name and no password succeeds and proves nothing.
            ? ValueTask.FromResult<LoginVerdict>(new LoginVerdict.Denied(LoginReason.WrongPassword))
            : AskAsync(steps, question => _options.BindAsTyped ? BindFirst(login, password, question) : FindFirst(login, password, question), cancel);

    private async ValueTask<LoginVerdict> AskAsync(
        IList<DirectoryStep>? steps, Func<LdapQuestion, LoginVerdict> ask, CancellationToken cancel)
    {
        using var gaveUp = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var question = new LdapQuestion(new LdapDeadline(_time, _options.Timeout), steps);
        try
        {
            // The connection is shut at the deadline; the second beyond it is for the thread to say so.
            return await _threads.RunAsync(() => ask(question), gaveUp.Token)
                .WaitAsync(_options.Timeout + TimeSpan.FromSeconds(1), _time, cancel);
        }
        catch (LdapServerException exception)
        {
            return new LoginVerdict.Unavailable($"directory {Name}: {exception.Message}");
        }
        catch (TimeoutException)
        {
            return new LoginVerdict.Unavailable($"directory {Name}: no answer within {_options.Timeout.TotalSeconds:0.#} s");
        }
        finally
        {
            question.Close();
            await gaveUp.CancelAsync();
        }
    }

    private LoginVerdict Find(string login, LdapQuestion question) => Search(login, question) switch
    {
        (null, var answer) => answer!,
        var (entry, _) => AccountState.Of(entry!, _time.GetUtcNow()) is { } against ? ToVerdict(against) : Grant(entry!, login, question),
    };

    private LoginVerdict FindFirst(string login, string password, LdapQuestion question)
    {
        var (entry, answer) = Search(login, question);
        if (entry is null)
        {
            return answer!;
        }

        var verdict = _client.Use(LdapPurpose.Binding, question, (link, deadline) => VerifyPassword(link, entry.Dn, password, deadline));
        verdict = verdict.Reason switch
        {
            LoginReason.None => AccountState.OfGood(entry, _time.GetUtcNow()) ?? verdict,
            LoginReason.WrongPassword => AccountState.Of(entry, _time.GetUtcNow()) is { Reason: LoginReason.Disabled } locked ? locked : verdict,
            _ => verdict,
        };
        question.Tell($"bind as {entry.Dn}", OutcomeOf(verdict), verdict.Detail);
        return verdict.Reason switch
        {
            LoginReason.None => Grant(entry, login, question),
            LoginReason.WrongPassword => new LoginVerdict.Denied(LoginReason.WrongPassword) { Login = _lookup.ToEntry(entry, login, []).Login },
            _ => ToVerdict(verdict),
        };
    }

    private LoginVerdict BindFirst(string login, string password, LdapQuestion question)
    {
        var (verdict, found) = _client.Use(LdapPurpose.Binding, question, (link, deadline) =>
        {
            var judged = VerifyPassword(link, login, password, deadline);
            // With nobody to search as, the login looks at itself.
            return (judged, judged.Reason == LoginReason.None && _options.BindDn is null ? LookAtOneself(link, login, question, deadline) : null);
        });
        question.Tell($"bind as {login}", OutcomeOf(verdict), verdict.Detail);
        if (verdict.Reason != LoginReason.None)
        {
            return verdict.Reason == LoginReason.WrongPassword ? new LoginVerdict.Denied(LoginReason.UnknownOrWrong) : ToVerdict(verdict);
        }

        var entry = _options.BindDn is null ? found?.Entry : Search(login, question).Entry;
        if (entry is null)
        {
            question.Tell("entry", "warning", "not found: the login has no more addresses than itself");
            return new LoginVerdict.Granted(new DirectoryEntry(login, Name, LdapLookup.ToAddresses([login]), []));
        }

        return AccountState.OfGood(entry, _time.GetUtcNow()) is { } against ? ToVerdict(against)
            : found is { } own ? new LoginVerdict.Granted(_lookup.ToEntry(entry, login, own.Groups))
            : Grant(entry, login, question);
    }

    private (LdapEntry? Entry, ImmutableArray<string> Groups)? LookAtOneself(
        LdapLink link, string login, LdapQuestion question, LdapDeadline deadline)
    {
        try
        {
            return _lookup.Find(link, login, question, deadline) is ({ } entry, _)
                ? (entry, _lookup.FindGroups(link, entry, login, question, deadline))
                : null;
        }
        catch (LdapServerException exception) when (!exception.IsServer)
        {
            question.Tell("search", "warning", exception.Message);
            return null;
        }
    }

    private (LdapEntry? Entry, LoginVerdict? Answer) Search(string login, LdapQuestion question)
    {
        var (entry, why) = _client.Use(LdapPurpose.Searching, question, (link, deadline) => _lookup.Find(link, login, question, deadline));
        return (entry, entry is null ? new LoginVerdict.Denied(LoginReason.UnknownLogin, why) : null);
    }

    private LoginVerdict Grant(LdapEntry entry, string login, LdapQuestion question)
    {
        var groups = _lookup.NeedsGroupSearch(entry)
            ? _client.Use(LdapPurpose.Searching, question, (link, deadline) => _lookup.FindGroups(link, entry, login, question, deadline))
            : _lookup.GroupsOf(entry);
        var known = _lookup.ToEntry(entry, login, groups);
        question.Tell("login", "ok", known.Login);
        question.Tell("addresses", known.Addresses.IsEmpty ? "warning" : "ok", known.Addresses.IsEmpty
            ? $"none in {string.Join(", ", _options.AddressAttributes)}: it may log in and send as nobody"
            : string.Join(", ", known.Addresses));
        question.Tell("groups", "ok", known.Groups.IsEmpty ? "none" : string.Join("; ", known.Groups));
        return new LoginVerdict.Granted(known);
    }

    private LoginVerdict Try(LdapServerAddress server, LdapQuestion question)
    {
        using var link = _client.Open(LdapPurpose.Searching, server, question.Deadline);
        var found = _options.BindAsTyped
            ? link.Search("", SearchScope.Base, "(objectClass=*)", ["namingContexts"], 1, question.Deadline)
            : link.Search(_options.Base, SearchScope.Base, "(objectClass=*)", ["1.1"], 1, question.Deadline);
        return found.IsReferral
            ? new LoginVerdict.Unavailable($"base \"{_options.Base}\" is on another server, and referrals are not followed")
            : new LoginVerdict.Denied(LoginReason.UnknownLogin);
    }

    private static BindResult VerifyPassword(LdapLink link, string name, string password, LdapDeadline deadline) =>
        link.Bind(name, password, deadline) is { IsServer: false } verdict
            ? verdict
            : throw new LdapServerException("the server could not judge the password");

    private LoginVerdict ToVerdict(BindResult verdict) => verdict.Reason switch
    {
        LoginReason.DirectoryUnavailable => new LoginVerdict.Unavailable($"directory {Name}: {verdict.Detail}"),
        var reason => new LoginVerdict.Denied(reason, verdict.Detail),
    };

    private static string OutcomeOf(BindResult verdict) => verdict.Reason switch
    {
        LoginReason.None => "ok",
        LoginReason.UnknownLogin => "next",
        LoginReason.DirectoryUnavailable => "unavailable",
        _ => "refused",
    };
}

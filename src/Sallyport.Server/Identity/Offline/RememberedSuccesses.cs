using System.Collections.Frozen;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Passwords;

namespace Sallyport.Server.Identity.Offline;

/// <summary>
/// Asks a directory for a password with what we remember of it: a success of a moment ago, and, while it is away, the last one from the
/// same network.
/// </summary>
public sealed class RememberedSuccesses(ServerOptions options, SuccessCache cache, OfflineCredentialCache outages, TimeProvider time)
{
    private readonly FrozenDictionary<string, DirectoryOptions> _options =
        options.Directories.DistinctBy(one => one.Name).ToFrozenDictionary(one => one.Name, StringComparer.Ordinal);

    /// <param name="login">Prepared.</param>
    public async ValueTask<LoginVerdict> AskAsync(
        IPasswordDirectory directory, LoginAttempt attempt, string login, string password, CancellationToken cancel)
    {
        var (cached, goodFor) = TermsOf(directory.Name);
        if (cached > TimeSpan.Zero && cache.Find(directory, login, password, cached) is { } entry)
        {
            return new LoginVerdict.Granted(entry);
        }

        LoginVerdict verdict;
        try
        {
            verdict = await directory.CheckPasswordAsync(attempt, login, password, cancel);
        }
        catch (Exception exception) when (goodFor > TimeSpan.Zero && !cancel.IsCancellationRequested)
        {
            verdict = new LoginVerdict.Unavailable($"directory {directory.Name}: {exception.Message}");
        }

        var key = new OutageKey(directory.Name, login, attempt.Network);
        if (verdict is LoginVerdict.Unavailable away)
        {
            return goodFor > TimeSpan.Zero ? await GoOnAsync(key, password, away, goodFor) : away;
        }

        if (verdict is LoginVerdict.Granted granted && cached > TimeSpan.Zero)
        {
            cache.Put(directory, login, password, granted.Entry);
        }
        else if (verdict is not LoginVerdict.Granted)
        {
            cache.Forget(login);
        }

        if (goodFor > TimeSpan.Zero)
        {
            Remember(key, password, verdict, goodFor);
        }

        return verdict;
    }

    /// <summary>A look-up's answer, on behalf of an app password: what it says is remembered, and remembered is what it cannot say now.</summary>
    public LoginVerdict Found(string login, LoginAttempt attempt, LoginVerdict found)
    {
        var (_, goodFor) = TermsOf(found.Directory);
        var key = new OutageKey(found.Directory, login, attempt.Network);
        if (goodFor == TimeSpan.Zero)
        {
            return found;
        }

        if (found is LoginVerdict.Unavailable away)
        {
            return outages.Find(key, goodFor, time.GetUtcNow()) is { } last ? ByOutage(key, last, away) : away;
        }

        Remember(key, null, found, goodFor);
        return found;
    }

    /// <summary>The directory was asked in the middle of a session.</summary>
    public void Heard(string directory, string login, LoginVerdict verdict)
    {
        if (verdict.Reason is LoginReason.Disabled or LoginReason.Expired or LoginReason.UnknownLogin)
        {
            cache.Forget(login);
            outages.Forget(directory, login);
        }
    }

    private void Remember(OutageKey key, string? password, LoginVerdict verdict, TimeSpan goodFor)
    {
        switch (verdict)
        {
            case LoginVerdict.Granted { Entry: var entry }:
                outages.Behind(outages.SucceededAsync(key, password, entry, goodFor, time.GetUtcNow()));
                break;
            case { Reason: LoginReason.WrongPassword or LoginReason.UnknownOrWrong } when password is not null:
                outages.Behind(outages.RefusedAsync(key.Directory, key.Login, password));
                break;
            case { Reason: LoginReason.Disabled or LoginReason.Expired or LoginReason.UnknownLogin }:
                outages.Forget(key.Directory, key.Login);
                break;
        }
    }

    /// <summary>A wrong guess is counted and not remembered, and hears what everybody hears: the password may be right, and new.</summary>
    private async ValueTask<LoginVerdict> GoOnAsync(OutageKey key, string password, LoginVerdict.Unavailable away, TimeSpan goodFor)
    {
        if (outages.Find(key, goodFor, time.GetUtcNow()) is not { Verifier: { } verifier } last
            || time.GetUtcNow() - last.PasswordAt > goodFor)
        {
            return away;
        }

        return await outages.CheckAsync(key, verifier, password) switch
        {
            PasswordCheck.Right => ByOutage(key, last with { At = last.PasswordAt }, away),
            PasswordCheck.Wrong => new LoginVerdict.Unavailable(
                away.Why + "; the password is not that of its last success from this network")
            { IsGuess = true },
            _ => away,
        };
    }

    private static LoginVerdict.Granted ByOutage(OutageKey key, OutageEntry last, LoginVerdict.Unavailable away) =>
        new(last.Entry) { Outage = new OutageNote(key.Directory, last.At, away.Why) };

    private (TimeSpan Cached, TimeSpan OutageFor) TermsOf(string directory) =>
        _options.TryGetValue(directory, out var terms) ? (terms.LoginCache, terms.OutageFor) : default;
}

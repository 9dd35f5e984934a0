using System.Collections.Frozen;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Outages;

namespace Sallyport.Server.Identity;

/// <summary>
/// Asks a directory for a password with what we remember of it: a success of a moment ago, and, while it is away, the last one from the
/// same network.
/// </summary>
public sealed class RememberedSuccesses(ServerOptions options, SuccessCache cache, OutageBook outages, TimeProvider time)
{
    private readonly FrozenDictionary<string, DirectoryOptions> _options =
        options.Directories.DistinctBy(one => one.Name).ToFrozenDictionary(one => one.Name, StringComparer.Ordinal);

    /// <param name="login">Prepared.</param>
    public async ValueTask<Judgement> AskAsync(
        IPasswordDirectory directory, LoginAttempt attempt, string login, string password, CancellationToken cancel)
    {
        var (cached, goodFor) = TermsOf(directory.Name);
        if (cached > TimeSpan.Zero && cache.Find(directory, login, password, cached) is { } entry)
        {
            return new DirectoryAnswer.Granted(entry);
        }

        DirectoryAnswer answer;
        try
        {
            answer = await directory.CheckPasswordAsync(attempt, login, password, cancel);
        }
        catch (Exception exception) when (goodFor > TimeSpan.Zero && !cancel.IsCancellationRequested)
        {
            answer = new DirectoryAnswer.Unavailable($"directory {directory.Name}: {exception.Message}");
        }

        var key = new OutageKey(directory.Name, login, attempt.Network);
        if (answer is DirectoryAnswer.Unavailable away)
        {
            return goodFor > TimeSpan.Zero ? await GoOnAsync(key, password, away, goodFor) : away;
        }

        if (answer is DirectoryAnswer.Granted granted && cached > TimeSpan.Zero)
        {
            cache.Put(directory, login, password, granted.Entry);
        }
        else if (answer is not DirectoryAnswer.Granted)
        {
            cache.Forget(login);
        }

        if (goodFor > TimeSpan.Zero)
        {
            Remember(key, password, answer, goodFor);
        }

        return answer;
    }

    /// <summary>A look-up's answer, on behalf of an app password: what it says is remembered, and remembered is what it cannot say now.</summary>
    public Judgement Found(string directory, string login, LoginAttempt attempt, DirectoryAnswer answer)
    {
        var (_, goodFor) = TermsOf(directory);
        var key = new OutageKey(directory, login, attempt.Network);
        if (goodFor == TimeSpan.Zero)
        {
            return answer;
        }

        if (answer is DirectoryAnswer.Unavailable away)
        {
            return outages.Find(key, goodFor, time.GetUtcNow()) is { } last ? ByOutage(key, last, away) : away;
        }

        Remember(key, null, answer, goodFor);
        return answer;
    }

    /// <summary>The directory was asked in the middle of a session.</summary>
    public void Heard(string directory, string login, DirectoryAnswer answer)
    {
        if (answer is DirectoryAnswer.Disabled or DirectoryAnswer.Expired or DirectoryAnswer.Unknown)
        {
            cache.Forget(login);
            outages.Forget(directory, login);
        }
    }

    private void Remember(OutageKey key, string? password, DirectoryAnswer answer, TimeSpan goodFor)
    {
        switch (answer)
        {
            case DirectoryAnswer.Granted { Entry: var entry }:
                _ = outages.SucceededAsync(key, password, entry, goodFor, time.GetUtcNow());
                break;
            case DirectoryAnswer.WrongPassword or DirectoryAnswer.UnknownOrWrong when password is not null:
                _ = outages.RefusedAsync(key.Directory, key.Login, password);
                break;
            case DirectoryAnswer.Disabled or DirectoryAnswer.Expired or DirectoryAnswer.Unknown:
                outages.Forget(key.Directory, key.Login);
                break;
        }
    }

    /// <summary>A wrong guess is counted and not remembered, and hears what everybody hears: the password may be right, and new.</summary>
    private async ValueTask<Judgement> GoOnAsync(OutageKey key, string password, DirectoryAnswer.Unavailable away, TimeSpan goodFor)
    {
        if (outages.Find(key, goodFor, time.GetUtcNow()) is not { Verifier: { } verifier } last
            || time.GetUtcNow() - last.PasswordAt > goodFor)
        {
            return away;
        }

        return await outages.CheckAsync(key, verifier, password) switch
        {
            PasswordCheck.Right => ByOutage(key, last with { At = last.PasswordAt }, away),
            PasswordCheck.Wrong => new Judgement(new DirectoryAnswer.Unavailable(
                away.Why + "; the password is not that of its last success from this network")) { Guessed = true },
            _ => away,
        };
    }

    private static Judgement ByOutage(OutageKey key, OutageEntry last, DirectoryAnswer.Unavailable away) =>
        new(new DirectoryAnswer.Granted(last.Entry)) { Outage = new OutageNote(key.Directory, last.At, away.Why) };

    private (TimeSpan Cached, TimeSpan OutageFor) TermsOf(string directory) =>
        _options.TryGetValue(directory, out var terms) ? (terms.LoginCache, terms.OutageFor) : default;
}

/// <param name="Directory">The one that is away.</param>
/// <param name="Since">When it last let the login in from there.</param>
/// <param name="Why">What is the matter with it.</param>
public sealed record OutageNote(string Directory, DateTimeOffset Since, string Why);

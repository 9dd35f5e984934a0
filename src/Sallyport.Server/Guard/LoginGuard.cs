using System.Net;
using Sallyport.Server.Configuration;
using Sallyport.Server.Limits;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Guard;

/// <summary>
/// Stands between the sessions and the directories: decides, before a directory is asked, whether an attempt to log in is worth
/// asking. Failures are counted for each login and network, each network and each login. Nobody can lock a user out: a login stays
/// usable from the networks it has succeeded from. The same wrong secret again is a forgotten device and counts once.
/// </summary>
public sealed partial class LoginGuard(LoginFailureTracker book, IMailLog log, TimeProvider time, IOptionsInForce site)
{
    private static readonly TimeSpan DelayFirst = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<string, int> _underWay = new(StringComparer.Ordinal);

    /// <summary>No failure is answered sooner, so that how long an answer takes tells nothing of who exists.</summary>
    public TimeSpan FailureFloor => site.Options.Guard is { Enabled: true } options ? options.FailureFloor : TimeSpan.Zero;

    /// <summary>May this network connect at all? Null when it may; else why not.</summary>
    public string? RefusalAtConnect(IPAddress client)
    {
        var options = site.Options.Guard;
        var network = ConnectionGate.NetworkOf(client);
        lock (book.Gate)
        {
            return options.IsExempt(client) || book.FindBan(network, time.GetUtcNow()) is not { } ban || book.IsKnown(network)
                ? null
                : $"too many failed logins from {network}, banned until {ban.Until:u}";
        }
    }

    /// <param name="secret">
    /// Names it, keyed; null where none is seen yet, as when SCRAM begins: then nothing is counted before <see cref="BeforeProof"/>.
    /// </param>
    public GuardVerdict Before(string login, IPAddress client, string? secret)
    {
        var options = site.Options.Guard;
        if (!options.Enabled)
        {
            return new GuardVerdict.Ask();
        }

        var now = time.GetUtcNow();
        lock (book.Gate)
        {
            var origin = OriginOf(login, client);
            if (secret is not null && book.FindWrong(secret, options.StaleRecheck, now))
            {
                var times = book.CountStale(secret, login, client, now);
                log.Write(new MailEvent.StaleSecret(login, client.ToString(), times));
                return new GuardVerdict.SameWrongSecret(times, Min(options.FailureFloor, options.DelayMax));
            }

            if (secret is not null && _underWay.TryGetValue(secret, out var waiting))
            {
                _underWay[secret] = waiting + 1; // the same secret at the same moment is one attempt
                return new GuardVerdict.Ask();
            }

            if (Refusal(origin, login, client, options, now) is { } refusal)
            {
                CountRefused(origin, login, client, secret, options, now);
                return refusal;
            }

            if (secret is not null)
            {
                _underWay[secret] = 1;
                book.Count(origin, now, options.Window);
            }

            return new GuardVerdict.Ask();
        }
    }

    /// <summary>
    /// A proof of SCRAM is there, and nobody has judged it: it counts as a guess until <see cref="After"/> says better, so that many at
    /// once are no way around the limits.
    /// </summary>
    public GuardVerdict BeforeProof(string login, IPAddress client)
    {
        var options = site.Options.Guard;
        if (!options.Enabled)
        {
            return new GuardVerdict.Ask();
        }

        var now = time.GetUtcNow();
        lock (book.Gate)
        {
            var origin = OriginOf(login, client);
            if (Refusal(origin, login, client, options, now) is { } refusal)
            {
                return refusal;
            }

            book.Count(origin, now, options.Window);
            return new GuardVerdict.Ask();
        }
    }

    /// <summary>Counts what came of it. Returns how long to wait before the client is told.</summary>
    /// <param name="secret">As it was before; null after <see cref="BeforeProof"/>.</param>
    /// <param name="directoryName">
    /// Whose the secret was or should have been, as the directory names the login, where it has said so: each of the names that can be
    /// typed for it counts for that one, since the directory's own lockout does the same.
    /// </param>
    public TimeSpan After(string login, IPAddress client, string? secret, LoginOutcome outcome, string? directoryName = null)
    {
        var options = site.Options.Guard;
        if (!options.Enabled)
        {
            return TimeSpan.Zero;
        }

        var typed = LoginOrigin.Of(login, client);
        var now = time.GetUtcNow();
        lock (book.Gate)
        {
            var known = directoryName is { Length: > 0 } name ? LoginOrigin.OneName(name) : book.NameOf(typed.Login);
            var origin = book.Learn(typed, known, options.Window);
            if (secret is not null && !Finish(secret))
            {
                return TimeSpan.Zero; // another of the same is still under way and will count
            }

            switch (outcome)
            {
                case LoginOutcome.Right:
                    book.Succeeded(origin, now, options.KnownNetworkFor);
                    book.Know(typed, now, options.KnownNetworkFor); // after a restart this name is all there is to go by
                    return TimeSpan.Zero;
                case LoginOutcome.Unavailable:
                    book.Release(origin);
                    return TimeSpan.Zero;
                case LoginOutcome.WrongForNow when secret is not null && !book.RememberRefused("away " + secret, now, options):
                    book.Release(origin); // a phone with an old password counts once here, too
                    return DelayAfter(book.OfOrigin(origin).Within(options.Window, now), options);
                default:
                    return CountFailure(origin, client, secret, outcome, options, now);
            }
        }
    }

    /// <summary>Bans in force, the longest first.</summary>
    public IReadOnlyList<Ban> Bans()
    {
        var now = time.GetUtcNow();
        lock (book.Gate)
        {
            return [.. book.Bans.Where(ban => ban.Until > now).OrderByDescending(ban => ban.Until)];
        }
    }

    public IReadOnlyList<StaleSecret> StaleSecrets()
    {
        lock (book.Gate)
        {
            return [.. book.StaleSecrets.OrderByDescending(stale => stale.Last)];
        }
    }

    /// <summary>True when logins are known, and none from anywhere but this machine itself.</summary>
    public bool SeesOnlyLoopback()
    {
        const int least = 3;
        lock (book.Gate)
        {
            return book.IsAllLoopback(least);
        }
    }

    public Ban Ban(IPAddress address, TimeSpan length)
    {
        var now = time.GetUtcNow();
        var network = ConnectionGate.NetworkOf(address);
        lock (book.Gate)
        {
            return book.Ban(network, new Ban(network.ToString(), now, now + length, 1, "command", "by the operator"), site.Options.Guard.BanMax);
        }
    }

    public bool Unban(IPAddress address)
    {
        lock (book.Gate)
        {
            return book.Unban(ConnectionGate.NetworkOf(address));
        }
    }

    /// <summary>The login has a new secret, or the administrator says so: nothing is held against it.</summary>
    public void Forget(string login)
    {
        lock (book.Gate)
        {
            book.Forget(LoginOrigin.OneName(login));
            book.Forget(book.NameOf(LoginOrigin.OneName(login)));
        }
    }

    /// <summary>By the directory's name or, when that is not known yet, by the one that was typed.</summary>
    private bool IsKnown(LoginOrigin origin, string typed, IPAddress client, DateTimeOffset now) =>
        book.IsKnown(origin, now) || book.IsKnown(LoginOrigin.Of(typed, client), now);

    private LoginOrigin OriginOf(string login, IPAddress client)
    {
        var typed = LoginOrigin.Of(login, client);
        return typed with { Login = book.NameOf(typed.Login) };
    }

    private TimeSpan CountFailure(
        LoginOrigin origin, IPAddress client, string? secret, LoginOutcome outcome, GuardOptions options, DateTimeOffset now)
    {
        if (secret is not null && outcome != LoginOutcome.WrongForNow)
        {
            book.RememberWrong(secret, now, options.EntriesMax);
        }

        BanIfDue(origin, client, options, now);
        var failures = book.OfOrigin(origin).Within(options.Window, now);
        return DelayAfter(failures, options);
    }

    private static TimeSpan DelayAfter(int failures, GuardOptions options) =>
        failures < 2 ? TimeSpan.Zero : Min(DelayFirst * Math.Pow(2, Math.Min(failures - 2, 10)), options.DelayMax);

    /// <summary>
    /// Who goes on with ever other secrets at a login that must wait is guessing: that counts for the network. The same secret again is
    /// a client that does as it was told, and comes back later.
    /// </summary>
    private void CountRefused(
        LoginOrigin origin, string typed, IPAddress client, string? secret, GuardOptions options, DateTimeOffset now)
    {
        if (secret is not null && !IsKnown(origin, typed, client, now) && book.FindBan(origin.Network, now) is null
            && book.RememberRefused(secret, now, options))
        {
            book.Count(origin.Network, now, options.Window);
            BanIfDue(origin, client, options, now);
        }
    }

    private void BanIfDue(LoginOrigin origin, IPAddress client, GuardOptions options, DateTimeOffset now)
    {
        if (!options.IsExempt(client) && book.OfNetwork(origin.Network).Within(options.Window, now) >= options.FailuresPerNetwork
            && book.FindBan(origin.Network, now) is null)
        {
            var ban = book.Punish(origin.Network, options, now);
            log.Write(new MailEvent.NetworkBanned(ban.Network, ban.Until, ban.Why));
        }
    }

    private GuardVerdict.NotNow? Refusal(LoginOrigin origin, string typed, IPAddress client, GuardOptions options, DateTimeOffset now)
    {
        var known = IsKnown(origin, typed, client, now);
        if (!known && !options.IsExempt(client) && book.FindBan(origin.Network, now) is { } ban)
        {
            return new(ban.Until, $"{origin.Network} is banned until {ban.Until:u}: {ban.Why}");
        }

        var here = known ? options.FailuresPerLoginAndNetwork * 2 : options.FailuresPerLoginAndNetwork;
        if (book.OfOrigin(origin).Within(options.Window, now) >= here)
        {
            return new(book.OfOrigin(origin).FreeAt(here, options.Window, now), $"{here} failed logins of {origin.Login} from {origin.Network}");
        }

        // Some of what the directory may see is kept for the networks the login is known from.
        var everywhere = known ? options.DirectoryFailuresPerLogin
            : options.DirectoryFailuresPerLogin - Math.Max(1, options.DirectoryFailuresPerLogin / 4);
        return book.OfLogin(origin.Login).Within(options.Window, now) >= everywhere
            ? new(book.OfLogin(origin.Login).FreeAt(everywhere, options.Window, now),
                $"{origin.Login} is under attack: {everywhere} failed logins; it stays usable from networks it has succeeded from")
            : null;
    }

    /// <summary>True when no other attempt with this secret is under way.</summary>
    private bool Finish(string secret)
    {
        if (_underWay.TryGetValue(secret, out var waiting) && waiting > 1)
        {
            _underWay[secret] = waiting - 1;
            return false;
        }

        _underWay.Remove(secret);
        return true;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

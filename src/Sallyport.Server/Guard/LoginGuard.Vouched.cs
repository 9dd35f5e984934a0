using System.Net;
using Sallyport.Server.Configuration;
using Sallyport.Server.Limits;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Guard;

/// <content>
/// Tokens and certificates. They cannot be guessed, and whoever sends one may name any login: what is wrong counts for the network
/// alone, each token or certificate once.
/// </content>
public sealed partial class LoginGuard
{
    /// <summary>May this token or certificate be judged? A banned network is refused before anybody is asked.</summary>
    /// <param name="named">Whom the client says it is for; null when it does not say.</param>
    /// <param name="secret">Names it, keyed.</param>
    public GuardVerdict BeforeVouched(string? named, IPAddress client, string secret)
    {
        var options = site.Options.Guard;
        if (!options.Enabled)
        {
            return new GuardVerdict.Ask();
        }

        var network = ConnectionGate.NetworkOf(client);
        var now = time.GetUtcNow();
        lock (book.Gate)
        {
            if (book.FindWrong(secret, options.StaleRecheck, now))
            {
                var times = book.CountStale(secret, named ?? "", client, now);
                log.Write(new MailEvent.StaleSecret(named ?? "", client.ToString(), times));
                return new GuardVerdict.SameWrongSecret(times, Min(options.FailureFloor, options.DelayMax));
            }

            var known = named is null ? book.IsKnown(network) : book.IsKnown(LoginOrigin.Of(named, client), now);
            if (!known && !options.IsExempt(client) && book.FindBan(network, now) is { } ban)
            {
                return new GuardVerdict.NotNow(ban.Until, $"{network} is banned until {ban.Until:u}: {ban.Why}");
            }

            return new GuardVerdict.Ask();
        }
    }

    /// <summary>Counts what came of it. Returns how long to wait before the client is told.</summary>
    /// <param name="login">Whose it was, where it was right.</param>
    /// <param name="isFinal">What is wrong with it stays wrong: it is not judged again for a while.</param>
    public TimeSpan AfterVouched(string? login, IPAddress client, string secret, LoginOutcome outcome, bool isFinal)
    {
        var options = site.Options.Guard;
        if (!options.Enabled || outcome == LoginOutcome.Unavailable)
        {
            return TimeSpan.Zero;
        }

        var network = ConnectionGate.NetworkOf(client);
        var now = time.GetUtcNow();
        lock (book.Gate)
        {
            if (outcome == LoginOutcome.Right)
            {
                book.Know(LoginOrigin.Of(login!, client), now, options.KnownNetworkFor);
                return TimeSpan.Zero;
            }

            return CountVouched(network, client, secret, isFinal, options, now);
        }
    }

    private TimeSpan CountVouched(IPAddress network, IPAddress client, string secret, bool isFinal, GuardOptions options, DateTimeOffset now)
    {
        var seen = "seen " + secret; // one that may yet become right is judged again, and counts once all the same
        if (!book.FindWrong(secret, options.Window, now) && !book.FindWrong(seen, options.Window, now))
        {
            book.RememberWrong(seen, now, options.EntriesMax);
            book.Count(network, now, options.Window);
            BanIfDue(LoginOrigin.Of("", client), client, options, now);
        }

        if (isFinal)
        {
            book.RememberWrong(secret, now, options.EntriesMax);
        }

        return DelayAfter(book.OfNetwork(network).Within(options.Window, now), options);
    }
}

using Sallyport.Mail.Policy;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Store;

namespace Sallyport.Server.Telemetry;

/// <summary>
/// What an administrator reads in the log: a line per connection, login, message and recipient outcome. Session id and queue id
/// tie the lines together. Values come from clients as they are; the formatter escapes them and cuts them at 1 KiB.
/// </summary>
public abstract record MailEvent
{
    private MailEvent()
    {
    }

    public sealed record ConnectionOpened(string Session, string Client, string Listener) : MailEvent;

    /// <summary>Refused before the greeting: too many connections.</summary>
    public sealed record ConnectionRefused(string Session, string Client, string Why) : MailEvent;

    public sealed record TlsStarted(string Session, string Client, string Protocol, string CipherSuite) : MailEvent;

    public sealed record TlsFailed(string Session, string Client, string Why) : MailEvent;

    /// <param name="Subject">Of a certificate that was verified; empty when it was not.</param>
    /// <param name="Trouble">Why a certificate proves nothing; empty when it was verified.</param>
    public sealed record ClientCertificate(string Session, string Client, string Subject, string Trouble) : MailEvent;

    public sealed record LoginSucceeded(string Session, string Client, string Login, string Typed, string Directory, string Mechanism) : MailEvent
    {
        /// <summary>The label of the app password it was; empty for another proof.</summary>
        public string AppPassword { get; init; } = "";

        /// <summary>What else there is to know of it; empty otherwise.</summary>
        public string Note { get; init; } = "";
    }

    /// <summary>The login's directory is away, and the login goes on by its last success.</summary>
    public sealed record OutageLogin(string Session, string Client, string Login, string Directory, string Note) : MailEvent;

    /// <param name="Why">For the administrator: unknown login, wrong password, disabled…</param>
    public sealed record LoginFailed(string Session, string Client, string Typed, string Mechanism, string Why) : MailEvent;

    /// <summary>The login was not judged: the directory is away (454), or the client gave up. Nobody may be banned for it.</summary>
    public sealed record LoginUnavailable(string Session, string Client, string Typed, string Mechanism, string Why) : MailEvent;

    /// <summary>A client tried to log in before TLS. It was refused and what it sent was not looked at, but could be read on the way.</summary>
    public sealed record LoginInClear(string Session, string Client, string Mechanism) : MailEvent;

    /// <summary>So many more senders and recipients were refused in this session than have a line.</summary>
    public sealed record RefusalsOmitted(string Session, string Client, string Login, int Count) : MailEvent;

    /// <summary>The same wrong secret again: a forgotten device, not an attack.</summary>
    public sealed record StaleSecret(string Login, string Client, int Times) : MailEvent;

    public sealed record NetworkBanned(string Network, DateTimeOffset Until, string Why) : MailEvent;

    /// <summary>A message was taken and is held.</summary>
    public sealed record MessageHeld(string Session, QueueId Id, string Login, int Recipients, string Reason) : MailEvent;

    /// <summary>A login departs from what is usual for it: its mail is held from now on.</summary>
    /// <param name="Sign">The limit's name.</param>
    /// <param name="Usual">The most before; 0 when nothing is known.</param>
    public sealed record BreakerTripped(string Login, string Client, string Sign, long Count, long Allowed, long Usual, string Reason) : MailEvent;

    /// <summary>An alert went one way, or did not.</summary>
    /// <param name="Way">mail or webhook.</param>
    /// <param name="Trouble">Empty when it went.</param>
    public sealed record AlertSent(string Kind, string About, string Way, string Trouble) : MailEvent;

    /// <summary>A login may log in and send nothing, until it is resumed or the time has come.</summary>
    /// <param name="Why">May be empty.</param>
    public sealed record LoginSuspended(string Login, DateTimeOffset? Until, string Why) : MailEvent;

    public sealed record LoginResumed(string Login) : MailEvent;

    /// <summary>What was held of a login was let go or thrown away; or what waited of it was held.</summary>
    /// <param name="What">released, dropped or held.</param>
    /// <param name="Login">Empty for all.</param>
    public sealed record HeldChanged(string What, string Login, int Messages, int Recipients) : MailEvent;

    /// <summary>An administrator, or a user about the own login, changed something.</summary>
    /// <param name="Operation">The path of the operation: "users/disable".</param>
    /// <param name="By">The user of the system, or whom a console has logged in.</param>
    /// <param name="Subject">The login, address or message; may be empty.</param>
    /// <param name="Code">What was done, as the admin API's codes have it.</param>
    public sealed record AdminChange(string Operation, string By, string Subject, string Code) : MailEvent;

    /// <summary>A message, sender or recipient was refused with this reply.</summary>
    /// <param name="Subject">The address, or what else was refused.</param>
    /// <param name="LoginAddress">The first address granted to the login; empty when it has none.</param>
    public sealed record Refused(string Session, string Client, string Login, string Subject, Reply Reply, string LoginAddress) : MailEvent;

    /// <summary>The store did not take a message, or takes none: a fault of ours or of what we stand on.</summary>
    /// <param name="Id">Null when no content had arrived.</param>
    /// <param name="Subject">The reverse-path, or how far the message had come.</param>
    /// <param name="Cause">For the administrator: what the disk or the store said.</param>
    public sealed record StoreRefused(
        string Session, QueueId? Id, string Client, string Login, string Subject, string Cause, Reply Reply) : MailEvent;

    /// <summary>A login, message or recipient was refused with this reply, since a limit was reached.</summary>
    /// <param name="Whose">The login, group or site whose limit it is: "login:jane".</param>
    /// <param name="Subject">The recipient's address, or what else was refused.</param>
    public sealed record LimitReached(
        string Session, string Client, string Login, string Subject, string Whose, SendingMeasure Measure, SendingWindow Window, long Used,
        long Allowed, DateTimeOffset? FreeAt, Reply Reply) : MailEvent;

    /// <summary>A sender that is not the login's passed, since its mode is to log or to rewrite.</summary>
    /// <param name="Where">MAIL FROM or the header field.</param>
    public sealed record UngrantedSenderAllowed(
        string Session, string Client, string Login, string Where, string Address, SenderMode Mode) : MailEvent;

    public sealed record MessageAccepted(
        string Session, QueueId Id, string Client, string Login, string Sender, int Recipients, string MessageId, long Bytes) : MailEvent
    {
        /// <summary>It is held; why has a line of its own.</summary>
        public bool Held { get; init; }

        /// <summary>How long the store took over the commit; for the numbers only.</summary>
        public TimeSpan CommitTime { get; init; }

        /// <summary>The directory that is away and by whose earlier word it was accepted; empty otherwise.</summary>
        public string Outage { get; init; } = "";
    }

    public sealed record ConnectionClosed(string Session, string Client, int Messages, string Why) : MailEvent;

    /// <param name="NextHop">Host and port, or the Maildir.</param>
    /// <param name="MaybeTwice">True when the next hop may have it although we must try again (its reply was lost).</param>
    public sealed record RecipientSettled(
        string Session,
        QueueId Id,
        string Login,
        string Sender,
        string Recipient,
        RecipientState State,
        string NextHop,
        string Reply,
        int Attempts,
        long Bytes,
        TimeSpan Age,
        DateTimeOffset? NextAttemptAt,
        bool MaybeTwice) : MailEvent
    {
        /// <summary>Why it was not relayed; none when it was.</summary>
        public RelayFailure Cause { get; init; }
    }

    /// <param name="About">The message the report is about.</param>
    /// <param name="Kind">"failed", "delayed" or "relayed".</param>
    public sealed record ReportKept(QueueId Id, QueueId About, string Recipient, string Kind) : MailEvent;

    /// <summary>Something an administrator should know of, which is no fault: started, reloaded, stopping.</summary>
    public sealed record Notice(string What) : MailEvent;

    /// <summary>A fault of ours or of what we stand on; never of a client.</summary>
    public sealed record Problem(string What) : MailEvent;
}

/// <summary>For a command that opens the store itself: what it has to say it says to whoever called it.</summary>
public sealed class SilentLog : IMailLog
{
    public void Write(MailEvent mailEvent)
    {
        // Nothing: the server's log is not this command's.
    }
}

/// <summary>Takes events from any thread without waiting; a full log never stops mail.</summary>
public interface IMailLog
{
    void Write(MailEvent mailEvent);
}

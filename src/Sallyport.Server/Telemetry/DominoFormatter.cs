using System.Globalization;
using Sallyport.Store;

namespace Sallyport.Server.Telemetry;

/// <summary>
/// Domino's console lines word for word, so that fail2ban's domino-smtp, IPBan and a site's own scripts read on. What Domino has no
/// line for is said under our own name. The time is local, as Domino writes it.
/// </summary>
public sealed class DominoFormatter : ILineFormatter
{
    private const string Server = "SMTP Server: ";

    public string? Format(MailEvent mailEvent, DateTimeOffset at)
    {
        var words = Words(mailEvent);
        return words is null ? null : at.ToString("MM/dd/yyyy HH:mm:ss", CultureInfo.InvariantCulture) + "   " + words;
    }

    private static string? Words(MailEvent mailEvent) => mailEvent switch
    {
        MailEvent.ConnectionOpened e => $"{Server}{e.Client} connected",
        MailEvent.ConnectionRefused e => $"{Server}Connection from [{e.Client}] rejected for policy reasons. {e.Why}.",
        MailEvent.TlsStarted => null,
        MailEvent.TlsFailed e => $"TLS/SSL connection {e.Client} failed: {LogText.Clean(e.Why)}",
        MailEvent.LoginSucceeded e => $"{Server}Authentication succeeded for user {Name(e.Login)} ; connecting host {e.Client}",
        MailEvent.LoginFailed e => $"{Server}Authentication failed for user {Name(e.Typed)} ; connecting host {e.Client}",
        MailEvent.Refused { Reply.Enhanced: { Class: 5, Subject: 7, Detail: 1 }, Login.Length: > 0 } e =>
            $"{Server}Message rejected. Authenticated user {Name(e.Login)} from host {e.Client} sending mail from {Name(e.Subject)} "
            + $"failed to match directory address {Name(e.LoginAddress)}",
        MailEvent.Refused e =>
            $"{Server}Message rejected. {Name(e.Subject).Replace(' ', '_')} from host {e.Client}: {LogText.Clean(e.Reply.ToString())}",
        MailEvent.MessageAccepted e =>
            $"{Server}Message {e.Id} (MessageID: {Name(e.MessageId)}) received from {Address(e.Sender)} size {e.Bytes} bytes",
        MailEvent.ConnectionClosed e => $"{Server}{e.Client} disconnected. {e.Messages} message[s] received",
        MailEvent.RecipientSettled { State: RecipientState.Relayed } e =>
            $"Router: Message {e.Id} transferred to {Host(e.NextHop)} for {Address(e.Recipient)} from {Address(e.Sender)} Size: {e.Bytes} via SMTP",
        _ => "Sallyport: " + HumanFormatter.Words(mailEvent),
    };

    /// <summary>A name that could be taken for the rest of the line would let a client accuse another address.</summary>
    private static string Name(string value) => LogText.Clean(value).Replace(';', ',');

    private static string Address(string path) => Name(path.Trim('<', '>'));

    private static string Host(string nextHop) =>
        nextHop.LastIndexOf(':') is > 0 and var colon && !nextHop.StartsWith("maildir:", StringComparison.Ordinal) ? nextHop[..colon] : nextHop;
}

using System.Globalization;
using Sallyport.Mail.Policy;
using Sallyport.Store;
using static Sallyport.Server.Telemetry.LogText;

namespace Sallyport.Server.Telemetry;

/// <summary>For eyes: time (UTC), session or queue id, what happened.</summary>
public sealed class HumanFormatter : ILineFormatter
{
    public string Format(MailEvent mailEvent, DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff'Z' ", CultureInfo.InvariantCulture) + Words(mailEvent);

    /// <summary>What happened, without the time.</summary>
    internal static string Words(MailEvent mailEvent) => mailEvent switch
    {
        MailEvent.ConnectionOpened e => $"{e.Session} connected from {e.Client} to {e.Listener}",
        MailEvent.ConnectionRefused e => $"{e.Session} connection from {e.Client} refused: {e.Why}",
        MailEvent.TlsStarted e => $"{e.Session} {e.Protocol} {e.CipherSuite}",
        MailEvent.TlsFailed e => $"{e.Session} TLS with {e.Client} failed: {Clean(e.Why)}",
        MailEvent.ClientCertificate { Trouble.Length: > 0 } e => $"{e.Session} client certificate of {e.Client} not accepted: {Clean(e.Trouble)}",
        MailEvent.ClientCertificate e => $"{e.Session} client certificate verified: {Clean(e.Subject)}",
        MailEvent.LoginSucceeded e => $"{e.Session} login of {Clean(e.Login)} from {e.Client}{As(e)} ({e.Mechanism}, {e.Directory}{With(e)})",
        MailEvent.OutageLogin e => $"{e.Session} OUTAGE: login of {Clean(e.Login)} from {e.Client}: {Clean(e.Note)}",
        MailEvent.LoginFailed e => $"{e.Session} LOGIN FAILED for {Quoted(e.Typed)} from {e.Client}: {Clean(e.Why)}{By(e.Mechanism)}",
        MailEvent.LoginUnavailable e =>
            $"{e.Session} login of {Quoted(e.Typed)} from {e.Client} was not judged: {Clean(e.Why)}{By(e.Mechanism)}",
        MailEvent.LoginInClear e => $"{e.Session} {e.Client} tried to log in without TLS and was refused; a password it sent{By(e.Mechanism)} "
            + "could be read on the way: let its owner turn TLS on and choose another",
        MailEvent.RefusalsOmitted e => $"{e.Session} refused {Count(e.Count, "more sender or recipient", "more senders and recipients")}"
            + $"{Of(e.Login)} from {e.Client}, which have no line each",
        MailEvent.StaleSecret e => $"{Quoted(e.Login)} from {e.Client} offers the same wrong password again (time {e.Times + 1}): "
            + "a device with an old password",
        MailEvent.NetworkBanned e => $"BANNED {e.Network} until "
            + $"{Time(e.Until)}: {Clean(e.Why)}",
        MailEvent.MessageHeld e => $"{e.Session} {e.Id} HELD{Of(e.Login)}: {Clean(e.Reason)}",
        MailEvent.BreakerTripped e => $"STOPPED {Clean(e.Login)}, last from {e.Client}: {Clean(e.Reason)}; its mail is held from now on",
        MailEvent.AlertSent e => $"alert {e.Kind} about {Clean(e.About)} by {e.Way}"
            + (e.Trouble.Length > 0 ? $" did not go: {Clean(e.Trouble)}" : " sent"),
        MailEvent.LoginSuspended e => $"SUSPENDED {Clean(e.Login)}: it may not send "
            + $"{(e.Until is { } until ? $"until {Time(until)}" : "until it is resumed")}{(e.Why.Length > 0 ? $": {Clean(e.Why)}" : "")}",
        MailEvent.LoginResumed e => $"resumed {Clean(e.Login)}: it may send again",
        MailEvent.HeldChanged e => $"{e.What} what {(e.What == "held" ? "waited" : "was held")}{(e.Login.Length > 0 ? Of(e.Login) : "")}: "
            + $"{Count(e.Messages, "message")}, {Count(e.Recipients, "recipient")}",
        MailEvent.Refused e => $"{e.Session} refused {Quoted(e.Subject)}{Of(e.Login)} from {e.Client}: {Clean(e.Reply.ToString())}",
        MailEvent.StoreRefused e => $"{e.Session} {(e.Id is { } id ? id + " " : "")}NOT STORED, {Quoted(e.Subject)}{Of(e.Login)} from {e.Client}: "
            + $"{Clean(e.Cause)}; the client was told {Clean(e.Reply.ToString())}",
        MailEvent.LimitReached e => $"{e.Session} LIMIT reached, {Quoted(e.Subject)} of login {Clean(e.Login)} from {e.Client} refused: "
            + $"{Clean(e.Whose)} has used {e.Used} of {e.Allowed} {Name(e.Measure)} {QuotaPolicy.Per(e.Window)}: {Clean(e.Reply.ToString())}",
        MailEvent.UngrantedSenderAllowed e => $"{e.Session} {Quoted(e.Address)} in {e.Where} is not an address of login {Clean(e.Login)}: "
            + (e.Mode == SenderMode.Rewrite ? "its own is kept in its place" : "passed, as its mode is to log"),
        MailEvent.MessageAccepted e => $"{e.Session} {e.Id} accepted from {Clean(e.Sender)}{Of(e.Login)} at {e.Client} for "
            + $"{Count(e.Recipients, "recipient")}, {e.Bytes} bytes, message-id {Clean(e.MessageId)}"
            + (e.Outage.Length == 0 ? "" : $", while directory {Clean(e.Outage)} is away"),
        MailEvent.ConnectionClosed e => $"{e.Session} {e.Client} disconnected after {Count(e.Messages, "message")}: {Clean(e.Why)}",
        MailEvent.RecipientSettled e => Settled(e),
        MailEvent.ReportKept e => $"{e.Id} report \"{e.Kind}\" about {e.About} goes to {Clean(e.Recipient)}",
        MailEvent.AdminChange e => $"admin {Clean(e.By)}: {e.Operation}{(e.Subject.Length > 0 ? " " + Clean(e.Subject) : "")}: {e.Code}",
        MailEvent.Notice e => Clean(e.What),
        MailEvent.Problem e => "PROBLEM: " + Clean(e.What),
        _ => mailEvent.ToString(),
    };

    private static string Name(SendingMeasure measure) => measure switch
    {
        SendingMeasure.FirstTimeRecipients => "first-time recipients",
        _ => measure.ToString().ToLowerInvariant(),
    };

    private static string Settled(MailEvent.RecipientSettled e)
    {
        var what = e.State switch
        {
            RecipientState.Relayed => "relayed to",
            RecipientState.Failed => "FAILED for",
            RecipientState.Held => "held for",
            _ => "deferred for",
        };
        var next = e.NextAttemptAt is { } at ? $", next attempt {at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}Z" : "";
        var twice = e.MaybeTwice ? ", the next hop may have it already" : "";
        return $"{e.Id} {what} {Clean(e.Recipient)} via {e.NextHop}: {Clean(e.Reply)} "
            + $"(attempt {e.Attempts}, {Age(e.Age)} after it came{next}{twice})";
    }

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + "Z";

    private static string Age(TimeSpan age) => age < TimeSpan.FromMinutes(2)
        ? age.TotalSeconds.ToString("0.0 s", CultureInfo.InvariantCulture)
        : age < TimeSpan.FromHours(2) ? $"{(int)age.TotalMinutes} min {age.Seconds} s"
        : age < TimeSpan.FromDays(2) ? $"{(int)age.TotalHours} h {age.Minutes} min"
        : $"{age.Days} d {age.Hours} h";

    private static string As(MailEvent.LoginSucceeded e) => e.Typed == e.Login || e.Typed.Length == 0 ? "" : $" as {Quoted(e.Typed)}";

    private static string With(MailEvent.LoginSucceeded e) =>
        (e.AppPassword.Length == 0 ? "" : ", app password " + Quoted(e.AppPassword)) + (e.Note.Length == 0 ? "" : "; " + Clean(e.Note));

    private static string Of(string login) => login.Length == 0 ? "" : $" of login {Clean(login)}";

    private static string By(string mechanism) => mechanism.Length == 0 ? "" : $" ({mechanism})";

    private static string Count(int n, string thing) => Count(n, thing, thing + "s");

    private static string Count(int n, string one, string many) => $"{n} {(n == 1 ? one : many)}";
}

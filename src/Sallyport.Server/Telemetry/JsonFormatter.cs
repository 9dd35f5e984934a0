using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Sallyport.Mail.Relaying;
using Sallyport.Store;

namespace Sallyport.Server.Telemetry;

/// <summary>For programs: one JSON object a line. Names of events and fields only grow.</summary>
public sealed class JsonFormatter : ILineFormatter
{
    /// <summary>The name of an event that was given none.</summary>
    internal const string Unnamed = "event";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Format(MailEvent mailEvent, DateTimeOffset at)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer, Options);
        json.WriteStartObject();
        json.WriteString("time", at.UtcDateTime);
        json.WriteString("level", mailEvent is MailEvent.Problem or MailEvent.StoreRefused ? "error" : "info");
        Write(json, mailEvent);
        json.WriteEndObject();
        json.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, MailEvent mailEvent)
    {
        if (WriteLogin(json, mailEvent) || WriteAbuse(json, mailEvent))
        {
            return;
        }

        switch (mailEvent)
        {
            case MailEvent.ConnectionOpened e:
                Put(json, "connected", ("session", e.Session), ("client", e.Client), ("listener", e.Listener));
                break;
            case MailEvent.ConnectionRefused e:
                Put(json, "connection_refused", ("session", e.Session), ("client", e.Client), ("why", e.Why));
                break;
            case MailEvent.RefusalsOmitted e:
                Put(json, "refusals_omitted", ("session", e.Session), ("client", e.Client), ("login", e.Login));
                json.WriteNumber("count", e.Count);
                break;
            case MailEvent.Refused e:
                Put(json, "refused", ("session", e.Session), ("client", e.Client), ("login", e.Login), ("subject", e.Subject),
                    ("reply", e.Reply.ToString()));
                break;
            case MailEvent.StoreRefused e:
                Put(json, "store_refused", ("session", e.Session), ("queue_id", e.Id?.ToString() ?? ""), ("client", e.Client),
                    ("login", e.Login), ("subject", e.Subject), ("cause", e.Cause), ("reply", e.Reply.ToString()));
                break;
            case MailEvent.LimitReached e:
                WriteLimit(json, e);
                break;
            case MailEvent.UngrantedSenderAllowed e:
                Put(json, "stranger_passed", ("session", e.Session), ("client", e.Client), ("login", e.Login), ("where", e.Where),
                    ("address", e.Address), ("mode", e.Mode.ToString().ToLowerInvariant()));
                break;
            case MailEvent.MessageAccepted e:
                Put(json, "message_accepted", ("session", e.Session), ("queue_id", e.Id.ToString()), ("client", e.Client), ("login", e.Login),
                    ("sender", e.Sender), ("message_id", e.MessageId), ("outage", e.Outage));
                json.WriteNumber("recipients", e.Recipients);
                json.WriteNumber("bytes", e.Bytes);
                break;
            case MailEvent.ConnectionClosed e:
                Put(json, "disconnected", ("session", e.Session), ("client", e.Client), ("why", e.Why));
                json.WriteNumber("messages", e.Messages);
                break;
            case MailEvent.RecipientSettled e:
                WriteSettled(json, e);
                break;
            case MailEvent.ReportKept e:
                Put(json, "report_kept", ("queue_id", e.Id.ToString()), ("about", e.About.ToString()), ("recipient", e.Recipient), ("kind", e.Kind));
                break;
            case MailEvent.Notice e:
                Put(json, "notice", ("what", e.What));
                break;
            case MailEvent.Problem e:
                Put(json, "problem", ("what", e.What));
                break;
            default:
                Put(json, Unnamed, ("what", HumanFormatter.Words(mailEvent))); // a test sees to it that there is none
                break;
        }
    }

    /// <summary>Who came, and how they proved it.</summary>
    private static bool WriteLogin(Utf8JsonWriter json, MailEvent mailEvent)
    {
        switch (mailEvent)
        {
            case MailEvent.TlsStarted e:
                Put(json, "tls_started", ("session", e.Session), ("client", e.Client), ("protocol", e.Protocol), ("cipher_suite", e.CipherSuite));
                return true;
            case MailEvent.TlsFailed e:
                Put(json, "tls_failed", ("session", e.Session), ("client", e.Client), ("why", e.Why));
                return true;
            case MailEvent.ClientCertificate e:
                Put(json, e.Trouble.Length > 0 ? "client_certificate_refused" : "client_certificate_verified",
                    ("session", e.Session), ("client", e.Client), ("subject", e.Subject), ("why", e.Trouble));
                return true;
            case MailEvent.LoginSucceeded e:
                Put(json, "login_succeeded", ("session", e.Session), ("client", e.Client), ("login", e.Login), ("typed", e.Typed),
                    ("directory", e.Directory), ("mechanism", e.Mechanism), ("app_password", e.AppPassword), ("note", e.Note));
                return true;
            case MailEvent.OutageLogin e:
                Put(json, "outage_login", ("session", e.Session), ("client", e.Client), ("login", e.Login), ("directory", e.Directory),
                    ("note", e.Note));
                return true;
            case MailEvent.LoginFailed e:
                Put(json, "login_failed", ("session", e.Session), ("client", e.Client), ("typed", e.Typed),
                    ("mechanism", e.Mechanism), ("why", e.Why));
                return true;
            case MailEvent.LoginUnavailable e:
                Put(json, "login_unavailable", ("session", e.Session), ("client", e.Client), ("typed", e.Typed),
                    ("mechanism", e.Mechanism), ("why", e.Why));
                return true;
            case MailEvent.LoginInClear e:
                Put(json, "login_without_tls", ("session", e.Session), ("client", e.Client), ("mechanism", e.Mechanism));
                return true;
            case MailEvent.StaleSecret e:
                Put(json, "stale_secret", ("login", e.Login), ("client", e.Client));
                json.WriteNumber("times", e.Times);
                return true;
            case MailEvent.NetworkBanned e:
                Put(json, "network_banned", ("network", e.Network), ("until", e.Until.UtcDateTime.ToString("O")), ("why", e.Why));
                return true;
            default:
                return false;
        }
    }

    private static void WriteLimit(Utf8JsonWriter json, MailEvent.LimitReached e)
    {
        Put(json, "limit_reached", ("session", e.Session), ("client", e.Client), ("login", e.Login), ("subject", e.Subject),
            ("whose", e.Whose), ("measure", JsonNamingPolicy.SnakeCaseLower.ConvertName(e.Measure.ToString())),
            ("window", JsonNamingPolicy.SnakeCaseLower.ConvertName(e.Window.ToString())), ("reply", e.Reply.ToString()));
        json.WriteNumber("used", e.Used);
        json.WriteNumber("allowed", e.Allowed);
        if (e.FreeAt is { } at)
        {
            json.WriteString("free_at", at.UtcDateTime);
        }
    }

    /// <summary>What was done about a login that sends what it should not.</summary>
    private static bool WriteAbuse(Utf8JsonWriter json, MailEvent mailEvent)
    {
        switch (mailEvent)
        {
            case MailEvent.MessageHeld e:
                Put(json, "message_held", ("session", e.Session), ("queue_id", e.Id.ToString()), ("login", e.Login), ("reason", e.Reason));
                json.WriteNumber("recipients", e.Recipients);
                return true;
            case MailEvent.BreakerTripped e:
                Put(json, "breaker_tripped", ("login", e.Login), ("client", e.Client), ("sign", e.Sign), ("reason", e.Reason));
                json.WriteNumber("count", e.Count);
                json.WriteNumber("allowed", e.Allowed);
                json.WriteNumber("usual", e.Usual);
                return true;
            case MailEvent.AlertSent e:
                Put(json, e.Trouble.Length > 0 ? "alert_failed" : "alert_sent", ("kind", e.Kind), ("about", e.About), ("way", e.Way),
                    ("why", e.Trouble));
                return true;
            case MailEvent.LoginSuspended e:
                Put(json, "login_suspended", ("login", e.Login), ("until", e.Until?.UtcDateTime.ToString("O") ?? ""), ("why", e.Why));
                return true;
            case MailEvent.AdminChange e:
                Put(json, "admin_change", ("operation", e.Operation), ("by", e.By), ("subject", e.Subject), ("code", e.Code));
                return true;
            case MailEvent.LoginResumed e:
                Put(json, "login_resumed", ("login", e.Login));
                return true;
            case MailEvent.HeldChanged e:
                Put(json, e.What == "held" ? "waiting_held" : "held_" + e.What, ("login", e.Login));
                json.WriteNumber("messages", e.Messages);
                json.WriteNumber("recipients", e.Recipients);
                return true;
            default:
                return false;
        }
    }

    private static void WriteSettled(Utf8JsonWriter json, MailEvent.RecipientSettled e)
    {
        var name = e.State switch
        {
            RecipientState.Relayed => "recipient_relayed",
            RecipientState.Failed => "recipient_failed",
            RecipientState.Held => "recipient_held",
            _ => "recipient_deferred",
        };
        Put(json, name, ("session", e.Session), ("queue_id", e.Id.ToString()), ("login", e.Login), ("sender", e.Sender),
            ("recipient", e.Recipient), ("next_hop", e.NextHop), ("reply", e.Reply));
        if (e.Cause != RelayFailure.None)
        {
            json.WriteString("cause", e.Cause.ToName());
            json.WriteString("fault", e.Cause.FaultOf().ToName());
        }

        json.WriteNumber("attempts", e.Attempts);
        json.WriteNumber("bytes", e.Bytes);
        json.WriteNumber("age_seconds", Math.Round(e.Age.TotalSeconds, 3));
        if (e.NextAttemptAt is { } at)
        {
            json.WriteString("next_attempt", at.UtcDateTime);
        }

        if (e.MaybeTwice)
        {
            json.WriteBoolean("maybe_twice", true);
        }
    }

    private static void Put(Utf8JsonWriter json, string name, params ReadOnlySpan<(string Key, string Value)> fields)
    {
        json.WriteString("event", name);
        foreach (var (key, value) in fields)
        {
            if (value.Length > 0)
            {
                json.WriteString(key, LogText.Clean(value));
            }
        }
    }
}

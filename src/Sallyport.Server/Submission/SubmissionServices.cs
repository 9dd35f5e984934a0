using System.Security.Cryptography;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Intake;
using Sallyport.Server.Limits;
using Sallyport.Server.Outcomes;
using Sallyport.Server.Sending;
using Sallyport.Server.Sites;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Submission;

/// <summary>What every session uses.</summary>
/// <param name="Site">The snapshot in force; a session keeps the one it began with.</param>
/// <param name="Sending">What logins have sent, against their limits.</param>
/// <param name="Watch">Has the last word before a message is committed.</param>
/// <param name="Outcomes">Told of every message, once it is committed.</param>
public sealed record SubmissionServices(
    SiteHolder Site, ISpool Spool, Handoff Handoff, QueueIds Ids, UsageLedger Sending, ISendingMonitor Watch, OutcomeFeed Outcomes, IMailLog Log,
    TimeProvider Time)
{
    /// <summary>The stages each message passes before its commit.</summary>
    public ContentPipeline Content { get; init; } = ContentPipeline.None;

    public HandshakeGate Handshakes { get; } = new();

    /// <summary>The handshake, and what became of a certificate the client showed.</summary>
    public void LogTls(string session, string client, TlsFacts facts)
    {
        Log.Write(new MailEvent.TlsStarted(session, client, facts.Protocol, facts.CipherSuite));
        if (facts.Client is not null || facts.CertificateTrouble.Length > 0)
        {
            var subject = facts.Client is { } verified ? $"{verified.Subject} (serial {verified.Serial})" : "";
            Log.Write(new MailEvent.ClientCertificate(session, client, subject, facts.CertificateTrouble));
        }
    }

    public static string NewSessionId() => Convert.ToHexString(RandomNumberGenerator.GetBytes(5));
}

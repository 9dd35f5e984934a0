using System.Collections.Immutable;
using System.Security.Cryptography;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Limits;
using Sallyport.Server.Routing;
using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Submission;

/// <summary>What is swapped as a whole when the configuration is read again. A session keeps what it began with.</summary>
public sealed record Settings(ServerOptions Options, RouteTable Routes, IdentityService Identity)
{
    /// <summary>SASL mechanisms to offer now: a server that leads exchanges may be heard later than we start.</summary>
    public ImmutableArray<string> Mechanisms => OfferedMechanisms.Of(Identity.Directories, Options.Submission.Mechanisms);

    /// <summary>What a client with a wrong token is told; null where no tokens are taken.</summary>
    public TokenService? TokenService { get; } = Identity.Directories.OfType<ITokenDirectory>().FirstOrDefault()?.Service;
}

/// <summary>What every session uses.</summary>
public sealed class SubmissionServices(Settings settings, ISpool spool, Handoff handoff, IMailLog log, TimeProvider time)
{
    private long _lastId;

    /// <summary>The configuration in force; replaced on reload.</summary>
    public Settings Settings { get; set; } = settings;

    public ISpool Spool => spool;

    public Handoff Handoff => handoff;

    /// <summary>What logins have sent, against their limits.</summary>
    public required UsageLedger Sending { get; init; }

    /// <summary>Has the last word before a message is committed.</summary>
    public ISendingMonitor Watch { get; init; } = new NoMonitor();

    public HandshakeGate Handshakes { get; } = new();

    public IMailLog Log => log;

    public TimeProvider Time => time;

    /// <summary>Unique on this node: no two are given the same microsecond.</summary>
    public QueueId NewQueueId()
    {
        var now = time.GetUtcNow().UtcTicks / TimeSpan.TicksPerMicrosecond;
        while (true)
        {
            var last = Volatile.Read(ref _lastId);
            var next = Math.Max(now, last + 1);
            if (Interlocked.CompareExchange(ref _lastId, next, last) == last)
            {
                var at = new DateTimeOffset(next * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
                return QueueId.Create(at, (uint)RandomNumberGenerator.GetInt32(int.MaxValue));
            }
        }
    }

    /// <summary>The handshake, and what became of a certificate the client showed.</summary>
    public void LogTls(string session, string client, TlsFacts facts)
    {
        log.Write(new MailEvent.TlsStarted(session, client, facts.Protocol, facts.CipherSuite));
        if (facts.Client is not null || facts.CertificateTrouble.Length > 0)
        {
            var subject = facts.Client is { } verified ? $"{verified.Subject} (serial {verified.Serial})" : "";
            log.Write(new MailEvent.ClientCertificate(session, client, subject, facts.CertificateTrouble));
        }
    }

    public static string NewSessionId() => Convert.ToHexString(RandomNumberGenerator.GetBytes(5));
}

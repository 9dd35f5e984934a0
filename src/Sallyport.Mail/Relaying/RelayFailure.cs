namespace Sallyport.Mail.Relaying;

/// <summary>Why a recipient was not relayed, as a value: what a reply says in words is for people.</summary>
/// <remarks>The names are in the JSON log and in the admin API: they are never renamed, and only grow.</remarks>
public enum RelayFailure
{
    /// <summary>It was relayed.</summary>
    None,

    /// <summary>The name service knows no such host, or no address of it.</summary>
    Unresolvable,

    /// <summary>The name service did not answer.</summary>
    ResolverUnavailable,

    /// <summary>Nothing listens there.</summary>
    ConnectionRefused,

    /// <summary>No way leads there.</summary>
    Unreachable,

    ConnectTimeout,

    /// <summary>Connected, and no reply in time.</summary>
    ReplyTimeout,

    /// <summary>The connection broke before the content was sent, so the next hop has nothing.</summary>
    ConnectionLost,

    /// <summary>The reply to the content was lost: the next hop may have the message.</summary>
    ContentReplyLost,

    /// <summary>What it answers is not SMTP, or belongs to another place of the conversation.</summary>
    ProtocolViolation,

    /// <summary>It refused the connection, the greeting or EHLO for good.</summary>
    HostRejectsUs,

    /// <summary>4xx before any recipient, or 421: not now.</summary>
    HostBusy,

    TlsNotOffered,

    /// <summary>The handshake failed for another reason than the certificate.</summary>
    TlsFailed,

    CertificateMissing,

    CertificateWrongName,

    /// <summary>Not from an authority trusted here, or not valid now.</summary>
    CertificateNotTrusted,

    /// <summary>No mechanism we know, while the route demands a login.</summary>
    LoginNotOffered,

    CredentialsRejected,

    /// <summary>It takes mail only from those who log in, and the route has no login.</summary>
    LoginDemanded,

    SenderRejected,

    RecipientRejected,

    /// <summary>4xx at RCPT: a full mailbox, or no decision yet.</summary>
    RecipientDeferred,

    /// <summary>4xx with a status of policy (4.7.x) at RCPT: as a rule greylisting, which passes.</summary>
    Greylisted,

    ContentRejected,

    ContentDeferred,

    /// <summary>The message is larger than the next hop says it takes.</summary>
    TooLarge,

    EightBitNotSupported,

    SmtpUtf8NotSupported,

    /// <summary>No route of this server leads there.</summary>
    NoRoute,

    /// <summary>Nothing was tried: many messages for the same next hop are before it.</summary>
    WaitsForRoom,

    /// <summary>What is kept of the message cannot be read, or nothing SMTP can carry.</summary>
    ContentUnreadable,

    /// <summary>The Maildir of a capturing route takes no message.</summary>
    MaildirUnusable,

    /// <summary>A fault in this server; the log has more.</summary>
    InternalError,
}

/// <summary>Who can do something about it.</summary>
public enum RelayFault
{
    Nobody,

    /// <summary>The network, or the name service.</summary>
    Network,

    /// <summary>The next hop's administrator.</summary>
    NextHop,

    /// <summary>The administrator of this server, in the route's settings.</summary>
    Route,

    /// <summary>The sender: another recipient, or another message.</summary>
    Message,

    /// <summary>The administrator of this server: disk, store, memory.</summary>
    ThisServer,
}

public static class RelayFailures
{
    public static RelayFault FaultOf(this RelayFailure failure) => failure switch
    {
        RelayFailure.None or RelayFailure.Greylisted or RelayFailure.WaitsForRoom => RelayFault.Nobody,
        RelayFailure.Unresolvable or RelayFailure.ResolverUnavailable or RelayFailure.ConnectionRefused or RelayFailure.Unreachable
            or RelayFailure.ConnectTimeout or RelayFailure.ReplyTimeout or RelayFailure.ConnectionLost or RelayFailure.ContentReplyLost
            => RelayFault.Network,
        RelayFailure.ProtocolViolation or RelayFailure.HostRejectsUs or RelayFailure.HostBusy or RelayFailure.TlsFailed => RelayFault.NextHop,
        RelayFailure.NoRoute => RelayFault.Route,
        RelayFailure.ContentUnreadable or RelayFailure.MaildirUnusable or RelayFailure.InternalError => RelayFault.ThisServer,
        _ => failure.DependsOnRoute() ? RelayFault.Route : RelayFault.Message,
    };

    /// <summary>About how this route goes to the host, its TLS and its login: another route may do better at the same host.</summary>
    public static bool DependsOnRoute(this RelayFailure failure) => failure is RelayFailure.TlsNotOffered or RelayFailure.CertificateMissing
        or RelayFailure.CertificateWrongName or RelayFailure.CertificateNotTrusted or RelayFailure.LoginNotOffered
        or RelayFailure.CredentialsRejected or RelayFailure.LoginDemanded;
}

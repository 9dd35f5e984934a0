namespace Sallyport.Mail.Smtp;

/// <summary>Every length and count the conversation depends on, with its default. Set from configuration, [limits].</summary>
public sealed record SmtpLimits
{
    /// <summary>A command line with CRLF; RFC 5321 §4.5.3.1.4 asks for 512 and more for extensions.</summary>
    public int CommandLineBytes { get; init; } = 4096;

    /// <summary>A line during AUTH with CRLF (RFC 4954 §4).</summary>
    public int AuthLineBytes { get; init; } = 12288;

    /// <summary>Login and password, each, decoded.</summary>
    public int CredentialBytes { get; init; } = 1024;

    /// <summary>An access token. The line that carries it is half as long again (base64) and has to fit <see cref="AuthLineBytes"/>.</summary>
    public int TokenBytes { get; init; } = Sasl.SaslServer.TokenBytesDefault;

    /// <summary>Size of a message's content as received (RFC 1870).</summary>
    public long MessageBytes { get; init; } = 50L * 1024 * 1024;

    /// <summary>Recipients of one message; more get 452 4.5.3 (RFC 5321 §4.5.3.1.10).</summary>
    public int Recipients { get; init; } = 1000;

    /// <summary>The header block of a message.</summary>
    public int HeaderBytes { get; init; } = 256 * 1024;

    /// <summary>Fields in the header block.</summary>
    public int HeaderFields { get; init; } = 1000;

    /// <summary>Received fields; more is a loop (RFC 5321 §6.3).</summary>
    public int Hops { get; init; } = 100;

    /// <summary>A line of content without CRLF; RFC 5322 §2.1.1 allows 998.</summary>
    public int ContentLineBytes { get; init; } = 998;

    /// <summary>Commands refused for syntax or order, in one session, before it is closed.</summary>
    public int Errors { get; init; } = 15;

    /// <summary>Senders and recipients refused by policy, in one session, before it is closed.</summary>
    public int PolicyRefusals { get; init; } = 100;

    /// <summary>Failed AUTH attempts in one session before it is closed.</summary>
    public int AuthFailures { get; init; } = 3;

    /// <summary>Commands of one session before its login; then 421. AUTH is one, however many lines its exchange has.</summary>
    public int CommandsBeforeLogin { get; init; } = 50;

    /// <summary>Messages in one session; then 421 after the last.</summary>
    public int MessagesPerSession { get; init; } = 1000;
}

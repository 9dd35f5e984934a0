using Sallyport.Mail.Smtp;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>[limits].</summary>
internal static class LimitsReader
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    public static LimitOptions Read(Section section)
    {
        var d = new LimitOptions();
        var options = new LimitOptions
        {
            Smtp = ReadSmtpLimits(section),
            Connections = section.Number("connections", d.Connections, 1, 1_000_000),
            ConnectionsPerAddress = section.Number("connections_per_address", d.ConnectionsPerAddress, 1, 1_000_000),
            Handshakes = section.Number("handshakes", d.Handshakes, 1, 1_000_000),
            HashesAtOnce = section.Number("hashes_at_once", d.HashesAtOnce, 1, 1024),
            HashesWaiting = section.Number("hashes_waiting", d.HashesWaiting, 1, 1_000_000),
            HashesWaitingPerNetwork = section.Number("hashes_waiting_per_network", d.HashesWaitingPerNetwork, 1, 1_000_000),
            LoginCache = section.Time("login_cache", d.LoginCache, TimeSpan.Zero, Day),
        };
        section.Finish();
        return options;
    }

    private static SmtpLimits ReadSmtpLimits(Section section)
    {
        var d = new SmtpLimits();
        return new SmtpLimits
        {
            CommandLineBytes = section.Size("max_command_line_bytes", d.CommandLineBytes, 1024, 65536),
            AuthLineBytes = section.Size("max_auth_line_bytes", d.AuthLineBytes, 1024, 65536),
            CredentialBytes = section.Size("max_credential_bytes", d.CredentialBytes, 64, 8192),
            TokenBytes = section.Size("max_token_bytes", d.TokenBytes, 1024, 48 * 1024),
            MessageBytes = section.Size("max_message_bytes", d.MessageBytes, 65536L, 64L << 30),
            Recipients = section.Number("max_recipients", d.Recipients, 100, 100_000),
            HeaderBytes = section.Size("max_header_bytes", d.HeaderBytes, 16384, 16 << 20),
            HeaderFields = section.Number("max_header_fields", d.HeaderFields, 100, 100_000),
            Hops = section.Number("max_hops", d.Hops, 10, 10_000),
            ContentLineBytes = section.Size("max_content_line_bytes", d.ContentLineBytes, 998, 1 << 20),
            Errors = section.Number("max_errors", d.Errors, 3, 10_000),
            PolicyRefusals = section.Number("max_policy_refusals", d.PolicyRefusals, 10, 1_000_000),
            AuthFailures = section.Number("max_auth_failures", d.AuthFailures, 1, 100),
            CommandsBeforeLogin = section.Number("max_commands_before_login", d.CommandsBeforeLogin, 10, 10_000),
            MessagesPerSession = section.Number("max_messages_per_session", d.MessagesPerSession, 1, 1_000_000),
        };
    }
}

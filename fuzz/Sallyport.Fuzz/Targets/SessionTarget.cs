using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;

namespace Sallyport.Fuzz.Targets;

/// <summary>
/// A whole session: each line is a command or a SASL response, the octet before it decides what the driver answers. The state is always
/// one of the table, and nobody sends who has not logged in.
/// </summary>
public static class SessionTarget
{
    private static readonly SmtpLimits Limits = new() { AuthFailures = 5, MessageBytes = 500, MessagesPerSession = 3, Recipients = 2, Errors = 50 };

    public static void Fuzz(ReadOnlySpan<byte> octets)
    {
        var session = new SubmissionSession(new SubmissionContext("smtp.acme.test", true, false, Limits));
        while (!octets.IsEmpty)
        {
            var end = octets.IndexOf((byte)'\n');
            var line = end < 0 ? octets : octets[..end];
            octets = end < 0 ? [] : octets[(end + 1)..];
            var answers = line.IsEmpty ? (byte)0 : line[0];
            var action = session.Receive(CommandParser.Parse(line.IsEmpty ? line : line[1..]), line.Length);
            for (var steps = 0; Follow(session, action, ref octets, answers, steps) is { } next; steps++)
            {
                action = next;
            }

            BrokenInvariantException.Unless(Enum.IsDefined(session.State), "a state that is none");
            BrokenInvariantException.Unless(
                session.Grant is not null == session.State >= SessionState.Authenticated, "logged in, and in no such state");
            BrokenInvariantException.Unless(session.Grant is null || session.Tls is not null, "logged in without TLS");
            BrokenInvariantException.Unless(
                session.Envelope is not null == session.State >= SessionState.InTransaction, "an envelope outside a transaction");
            if (action is SessionAction.HangUp)
            {
                return;
            }
        }
    }

    /// <summary>What the driver would do. Null where a reply is written and the next command read.</summary>
    private static SessionAction? Follow(SubmissionSession session, SessionAction action, ref ReadOnlySpan<byte> octets, byte answers, int step)
    {
        var refused = ((answers >> (step % 8)) & 1) == 1;
        switch (action)
        {
            case SessionAction.BeginTls:
                session.TlsEstablished(new TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", default));
                return null;
            case SessionAction.ContinueSasl:
                var end = octets.IndexOf((byte)'\n');
                var response = (end < 0 ? octets : octets[..end]).ToArray();
                octets = end < 0 ? [] : octets[(end + 1)..];
                return session.ReceiveSasl(response);
            case SessionAction.AskPassword or SessionAction.AskGrant or SessionAction.AskToken or SessionAction.AskCertificate:
                return session.AnswerLogin(
                    refused ? new LoginAnswer.Wrong() : new LoginAnswer.Granted(new Grant("jane@acme.test", "local", [])));
            case SessionAction.AskExchange:
                return session.AnswerExchange(new ExchangeAnswer.Ended(new LoginAnswer.Wrong()));
            case SessionAction.AskVerifier:
                return refused ? session.AnswerVerifier(new VerifierAnswer.Unavailable(""))
                    : session.AnswerVerifier(new VerifierAnswer.Found(new ScramVerifier(1, new byte[16], new byte[32], new byte[32]), "nonce"));
            case SessionAction.AskSender:
                BrokenInvariantException.Unless(session.Grant is not null, "a sender without a login");
                return session.AnswerSender(refused ? Replies.NoRoom : null);
            case SessionAction.AskRecipient:
                return session.AnswerRecipient(refused ? Replies.NoRoom : null);
            case SessionAction.ReadData:
                return session.AnswerContent(refused ? Replies.StoreFailed : Replies.Ok);
            case SessionAction.ReadChunk { Discard: null } chunk:
                return chunk.Last ? session.AnswerContent(Replies.Ok) : session.AnswerChunk(refused ? Replies.StoreFailed : null);
            default:
                return null;
        }
    }
}

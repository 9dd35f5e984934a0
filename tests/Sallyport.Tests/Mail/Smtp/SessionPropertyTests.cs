using System.Text;
using CsCheck;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail.Smtp;

/// <summary>Any commands in any order: the state is a row of the table, and nothing happens that the table does not allow.</summary>
public sealed class SessionPropertyTests
{
    private static readonly string[] Lines =
    [
        "EHLO laptop", "EHLO laptop", "HELO laptop", "EHLO", "STARTTLS", "STARTTLS x", "AUTH PLAIN", "AUTH LOGIN", "AUTH LOGIN amFuZQ==",
        "AUTH PLAIN AGphbmVAYWNtZS50ZXN0AHNlY3JldA==", "AUTH PLAIN AGphbmVAYWNtZS50ZXN0AHNlY3JldA==", "AUTH SCRAM-SHA-256",
        "AUTH SCRAM-SHA-256 biwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8=", "AUTH PLAIN !", "AUTH NTLM", "AUTH",
        "MAIL FROM:<jane@acme.test>", "MAIL FROM:<jane@acme.test>", "MAIL FROM:<>", "MAIL FROM:<jane@acme.test> SIZE=99999999999", "MAIL FROM:jane",
        "RCPT TO:<bob@example.com>", "RCPT TO:<bob@example.com>", "RCPT TO:<carol@example.com>", "RCPT TO:<jürgen@example.com>", "RCPT TO:<>",
        "DATA", "DATA x", "BDAT 10", "BDAT 0 LAST", "BDAT 10 LAST", "BDAT 999", "BDAT 400", "BDAT x", "RSET", "RSET x",
        "NOOP", "VRFY jane", "HELP", "QUIT",
        "EXPN x", "ETRN x", "GARBAGE", "", "NOOP \0", "GET / HTTP/1.1",
    ];

    private static readonly string[] SaslLines =
        ["", "*", "!", "AGphbmVAYWNtZS50ZXN0AHNlY3JldA==", "amFuZQ==", "biwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8="];

    private static readonly Gen<(string Line, int Answer)[]> Steps =
        Gen.Select(Gen.OneOfConst(Lines), Gen.Int[0, 999]).Array[1, 40];

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void No_sequence_of_commands_leaves_the_table(bool startTls, bool authWithoutTls) =>
        Steps.Sample(steps => new Walk(startTls, authWithoutTls, errorsMax: 1000).Take(steps), iter: 4000, threads: 1);

    [Fact]
    public void A_walk_reaches_every_state_after_the_greeting_and_a_message()
    {
        // Without this the property above could hold for want of anything happening.
        var reached = new HashSet<SessionState>();
        var messages = 0;
        Steps.Sample(steps =>
        {
            var walk = new Walk(startTls: false, authWithoutTls: true, errorsMax: 1000);
            walk.Take([("EHLO laptop", 0), ("AUTH PLAIN AGphbmVAYWNtZS50ZXN0AHNlY3JldA==", 0), .. steps]);
            reached.UnionWith(walk.Reached);
            messages += walk.Session.Messages;
        }, iter: 2000, threads: 1, seed: "0000000000000");
        Assert.Equal(Enum.GetValues<SessionState>().Where(state => state != SessionState.Greeted).ToHashSet(), reached);
        Assert.True(messages > 0);
    }

    [Fact]
    public void A_session_ends_after_its_errors()
    {
        Gen.OneOfConst("BLAH", "DATA x", "MAIL FROM:<jane@acme.test>", "BDAT 0", "RCPT x").Array[5, 5].Sample(lines =>
        {
            var session = new Walk(startTls: true, authWithoutTls: false, errorsMax: 5).Session;
            var turns = lines.Select(line => session.Receive(CommandParser.Parse(Encoding.UTF8.GetBytes(line)))).ToList();
            Assert.Equal(new SessionAction.HangUp(Replies.TooManyErrors), turns[^1]);
            Assert.DoesNotContain(turns[..^1], turn => turn is SessionAction.HangUp);
        }, iter: 500, threads: 1);
    }

    private sealed class Walk(bool startTls, bool authWithoutTls, int errorsMax)
    {
        private static readonly SmtpLimits Limits = new() { AuthFailures = 5, MessageBytes = 500, MessagesPerSession = 3, Recipients = 1 };

        public SubmissionSession Session { get; } = new(new SubmissionContext(
            "smtp.acme.test", startTls, authWithoutTls, Limits with { Errors = errorsMax }));

        public HashSet<SessionState> Reached { get; } = [];

        public void Take((string Line, int Answer)[] steps)
        {
            foreach (var (line, answer) in steps)
            {
                var command = CommandParser.Parse(Encoding.UTF8.GetBytes(line));
                var before = Session.State;
                var turn = Session.Receive(command);
                Judge(command, before, turn);
                var end = Answer(turn, answer);
                JudgeState();
                if (end is SessionAction.HangUp)
                {
                    return;
                }
            }
        }

        /// <summary>What the table refuses is refused with the table's reply and changes nothing.</summary>
        private void Judge(Command command, SessionState before, SessionAction turn)
        {
            if (command is Command.OtherProtocol or Command.Malformed { Fatal: true })
            {
                Assert.IsType<SessionAction.HangUp>(turn);
                return;
            }

            var cell = SubmissionStateTable.Find(before, command.Verb);
            if (turn is SessionAction.HangUp { Reply.Code: 421 } or SessionAction.HangUp { Reply.Code: 552 })
            {
                return; // a limit was passed
            }

            if (cell == Cell.Allowed)
            {
                if (command is Command.Malformed malformed && command.Verb != Verb.Auth)
                {
                    Assert.Equal(new SessionAction.Say(malformed.Reply), turn);
                }

                return;
            }

            Assert.Equal(before, Session.State);
            var reply = turn switch
            {
                SessionAction.Say say => say.Reply,
                SessionAction.ReadChunk chunk => chunk.Discard!,
                SessionAction.HangUp hangUp when command is Command.Bdat => hangUp.Reply, // more octets than are worth throwing away
                _ => throw new InvalidOperationException($"{command} in {before} led to {turn}"),
            };
            Reply[] allowed = [SubmissionStateTable.Refusal(cell), .. cell == Cell.Login ? [Replies.NeedsTls] : Array.Empty<Reply>(),
                .. command.Verb == Verb.Auth ? [Replies.AuthNeedsTls] : Array.Empty<Reply>()];
            Assert.Contains(reply, allowed);
        }

        private void JudgeState()
        {
            Assert.True(Enum.IsDefined(Session.State));
            Assert.Equal(Session.Grant is not null, Session.State >= SessionState.Authenticated);
            Assert.Equal(Session.Envelope is not null, Session.State >= SessionState.InTransaction);
            Assert.Equal(Session.Envelope is { Recipients.Length: > 0 }, Session.State >= SessionState.HasRecipients);
            Assert.True(Session.Grant is null || Session.Tls is not null || authWithoutTls, "logged in without TLS");
            Reached.Add(Session.State);
        }

        /// <summary>Follows a turn to where a reply is written.</summary>
        private SessionAction Answer(SessionAction turn, int answer)
        {
            for (var i = 0; ; i++)
            {
                var refused = (answer >> (i % 8)) % 4 == 3;
                switch (turn)
                {
                    case SessionAction.BeginTls:
                        Session.TlsEstablished(new TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", default));
                        return turn;
                    case SessionAction.ContinueSasl:
                        turn = Session.ReceiveSasl(Encoding.ASCII.GetBytes(SaslLines[(answer + i) % SaslLines.Length]));
                        break;
                    case SessionAction.AskPassword or SessionAction.AskGrant:
                        turn = Session.AnswerLogin(refused ? new LoginAnswer.Wrong()
                            : new LoginAnswer.Granted(new Grant("jane@acme.test", "local", [])));
                        break;
                    case SessionAction.AskVerifier or SessionAction.AskExchange when answer % 5 == 0 || turn is SessionAction.AskExchange:
                        turn = Session.AnswerExchange(refused ? new ExchangeAnswer.Ended(new LoginAnswer.Wrong())
                            : i % 3 == 2 ? new ExchangeAnswer.Ended(new LoginAnswer.Granted(new Grant("jane@acme.test", "dovecot", [])))
                            : new ExchangeAnswer.Challenge("challenge"u8.ToArray()));
                        break;
                    case SessionAction.AskVerifier:
                        turn = Session.AnswerVerifier(refused
                            ? new VerifierAnswer.Unavailable("")
                            : new VerifierAnswer.Found(new ScramVerifier(1, new byte[16], new byte[32], new byte[32]), "nonce"));
                        break;
                    case SessionAction.LoginFailed failed:
                        turn = failed.Next;
                        break;
                    case SessionAction.AskSender:
                        Assert.NotNull(Session.Grant);
                        turn = Session.AnswerSender(refused ? Replies.NoRoom : null);
                        break;
                    case SessionAction.AskRecipient:
                        Assert.True(Session.State is SessionState.InTransaction or SessionState.HasRecipients);
                        turn = Session.AnswerRecipient(refused ? Replies.NoRoom : null);
                        break;
                    case SessionAction.ReadData data:
                        Assert.Equal(SessionState.HasRecipients, Session.State);
                        Assert.NotEmpty(data.Envelope.Recipients);
                        turn = Session.AnswerContent(refused ? Replies.StoreFailed : Replies.Ok);
                        break;
                    case SessionAction.ReadChunk { Discard: null } chunk:
                        Assert.True(Session.State >= SessionState.HasRecipients);
                        turn = chunk.Last ? Session.AnswerContent(Replies.Ok) : Session.AnswerChunk(refused ? Replies.StoreFailed : null);
                        break;
                    default:
                        return turn;
                }
            }
        }
    }
}

using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail.Smtp;

public sealed class CommandParserTests
{
    [Theory]
    [InlineData("EHLO laptop", Verb.Ehlo)]
    [InlineData("helo laptop", Verb.Helo)]
    [InlineData("STARTTLS", Verb.StartTls)]
    [InlineData("auth plain", Verb.Auth)]
    [InlineData("Mail From:<>", Verb.Mail)]
    [InlineData("rcpt to:<a@b>", Verb.Rcpt)]
    [InlineData("data", Verb.Data)]
    [InlineData("bdat 1", Verb.Bdat)]
    [InlineData("rset ", Verb.Rset)]
    [InlineData("noop whatever", Verb.Noop)]
    [InlineData("quit", Verb.Quit)]
    [InlineData("vrfy <jane>", Verb.Vrfy)]
    [InlineData("help me", Verb.Help)]
    [InlineData("expn staff", Verb.Expn)]
    [InlineData("etrn acme.test", Verb.Etrn)]
    [InlineData("datas", Verb.Unknown)]
    [InlineData("MAILFROM:<>", Verb.Unknown)]
    [InlineData("", Verb.Unknown)]
    public void The_verb_is_the_first_word_in_any_case(string line, Verb verb) => Assert.Equal(verb, Parse(line).Verb);

    [Fact]
    public void MAIL_carries_its_parameters()
    {
        var mail = Assert.IsType<Command.Mail>(Parse("MAIL FROM:<jane@acme.test> SIZE=123 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a+2Bb AUTH=<>"));
        Assert.Equal("<jane@acme.test>", mail.ReversePath.ToString());
        Assert.Equal((123L, BodyType.EightBitMime, true, "a+b", DsnReturn.Full),
            (mail.DeclaredBytes, mail.Body, mail.SmtpUtf8, mail.EnvelopeId, mail.Return));
    }

    [Theory]
    [InlineData("MAIL FROM:<a@b> SIZE=99999999999999999999", long.MaxValue)]
    [InlineData("MAIL FROM:<a@b> SIZE=0", 0)]
    [InlineData("MAIL FROM:<a@b>", 0)]
    public void A_declared_size_has_no_overflow(string line, long bytes) =>
        Assert.Equal(bytes, Assert.IsType<Command.Mail>(Parse(line)).DeclaredBytes);

    [Theory]
    [InlineData("MAIL FROM:<a@b> SIZE=999999999999999999999", "SIZE=")]
    [InlineData("MAIL FROM:<a@b> SIZE=+1", "SIZE=")]
    [InlineData("MAIL FROM:<a@b> SIZE=1 size=2", "twice")]
    [InlineData("MAIL FROM:<a@b>\u00a0SIZE=1", "blank")]
    [InlineData("MAIL FROM:<a@b> BODY=9BITMIME", "BODY=")]
    [InlineData("MAIL FROM:<a@b> ENVID=", "ENVID=")]
    [InlineData("MAIL FROM:<a@b> NOTIFY=NEVER", "Unknown parameter NOTIFY")]
    [InlineData("RCPT TO:<a@b> NOTIFY=NEVER,NEVER,DELAY", "stands alone")]
    [InlineData("RCPT TO:<a@b> ORCPT=;a@b", "ORCPT=")]
    [InlineData("RCPT TO:<a@b> ORCPT=rfc=822;a@b", "ORCPT=")]
    [InlineData("RCPT TO:<a@b> SIZE=1", "Unknown parameter SIZE")]
    public void Wrong_parameters_are_refused_by_name(string line, string part) =>
        Assert.Contains(part, Assert.IsType<Command.Malformed>(Parse(line)).Reply.ToString());

    [Fact]
    public void An_original_recipient_has_at_most_500_octets()
    {
        Assert.IsType<Command.Rcpt>(Parse("RCPT TO:<a@b> ORCPT=rfc822;" + new string('a', 493)));
        Assert.IsType<Command.Malformed>(Parse("RCPT TO:<a@b> ORCPT=rfc822;" + new string('a', 494)));
    }

    [Theory]
    [InlineData("BDAT 0", 0, false)]
    [InlineData("BDAT 86 LAST", 86, true)]
    [InlineData("BDAT 86  last ", 86, true)]
    [InlineData("BDAT 999999999999999999", 999999999999999999, false)]
    public void BDAT_has_a_size(string line, long bytes, bool last)
    {
        var bdat = Assert.IsType<Command.Bdat>(Parse(line));
        Assert.Equal((bytes, last), (bdat.Bytes, bdat.Last));
    }

    [Theory]
    [InlineData("BDAT")]
    [InlineData("BDAT -1")]
    [InlineData("BDAT +1")]
    [InlineData("BDAT 1x")]
    [InlineData("BDAT 0x10")]
    [InlineData("BDAT 1 FIRST")]
    [InlineData("BDAT 1000000000000000000")]
    [InlineData("BDAT 1\0")]
    [InlineData("BDAT 1 \tLAST")]
    public void BDAT_without_a_readable_size_is_fatal(string line) => Assert.True(Assert.IsType<Command.Malformed>(Parse(line)).Fatal);

    [Fact]
    public void An_initial_response_is_not_shown_when_the_command_is_printed()
    {
        var auth = Assert.IsType<Command.Auth>(Parse("AUTH plain AGphbmUAc2VjcmV0"));
        Assert.Equal("PLAIN", auth.Mechanism);
        Assert.Equal("AGphbmUAc2VjcmV0", Encoding.ASCII.GetString(auth.Initial!));
        Assert.DoesNotContain("AGphbmUAc2VjcmV0", auth.ToString());
        Assert.DoesNotContain("secret", new SessionAction.AskPassword("jane", "", "secret").ToString());
    }

    [Theory]
    [InlineData("GET / HTTP/1.1", "HTTP")]
    [InlineData("Host: smtp.acme.test", "HTTP")]
    [InlineData("SSH-2.0-x", "SSH")]
    [InlineData("\u0016\u0003\u0001x", "TLS")]
    [InlineData("\u0003\0\0\u0013", "RDP")]
    public void Another_protocol_is_recognised(string line, string name) =>
        Assert.Equal(name, Assert.IsType<Command.OtherProtocol>(Parse(line)).Name);

    [Theory]
    [InlineData("MAIL FROM: <jane@acme.test>")]
    [InlineData("RCPT TO: <jane@acme.test>")]
    public void A_blank_behind_the_colon_is_no_other_protocol(string line) =>
        Assert.NotNull((Parse(line) as Command.Mail)?.ReversePath.Mailbox ?? (Parse(line) as Command.Rcpt)?.Recipient.Path.Mailbox);

    [Theory]
    [InlineData(PathError.NoDomain, 7, 3)]
    [InlineData(PathError.TooLong, 7, 3)]
    [InlineData(PathError.ForbiddenOctet, 7, 3)]
    [InlineData(PathError.Syntax, 7, 3)]
    public void A_bad_path_is_553_of_the_right_side(PathError error, int sender, int recipient)
    {
        Assert.Equal((553, new EnhancedCode(5, 1, sender)), (Replies.BadPath(error, true).Code, Replies.BadPath(error, true).Enhanced));
        Assert.Equal((553, new EnhancedCode(5, 1, recipient)), (Replies.BadPath(error, false).Code, Replies.BadPath(error, false).Enhanced));
    }

    private static Command Parse(string line) => CommandParser.Parse(Encoding.UTF8.GetBytes(line));
}

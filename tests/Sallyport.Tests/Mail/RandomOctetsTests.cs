using System.Text;
using CsCheck;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Content;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail;

/// <summary>What a client can cause is a value, never an exception; and no input costs more than its length.</summary>
public sealed class RandomOctetsTests
{
    private static readonly SmtpLimits Limits = new();

    /// <summary>Pieces of every grammar, and plain noise between them.</summary>
    private static readonly Gen<byte[]> Octets = Gen.OneOf(
        Gen.OneOfConst("MAIL FROM:", "RCPT TO:", "BDAT ", "AUTH ", "EHLO ", "<", ">", "@", "\"", "\\", ".", ",", ":", ";", "(", ")",
            "[", "]", "IPv6:", "::1",
            "127.0.0.1", " ", "\t", "\r\n", "\n", "\0", "=", "+", "+41", "\\x{41}", "\\x{", "}", "SIZE=", "NOTIFY=", "ORCPT=rfc822;",
            "PLAIN", "jane", "acme.test",
            "xn--", "-", "ü", "用", "\u0085", "\u2028", "n,,n=", ",r=", "c=biws", ",p=", "From: ", "Received: ", "9", "%")
            .Select(Encoding.UTF8.GetBytes),
        Gen.Byte.Array[0, 6]).Array[0, 15].Select(parts => parts.SelectMany(part => part).ToArray());

    [Fact]
    public void A_command_line_is_parsed_to_something() => Octets.Sample(octets =>
    {
        var command = CommandParser.Parse(octets);
        Assert.True(Enum.IsDefined(command.Verb));
        if (command is Command.Malformed malformed)
        {
            Assert.True(malformed.Reply.IsPermanent);
            Assert.DoesNotContain(malformed.Reply.Lines, line => line.Any(char.IsControl));
        }
    }, iter: 20_000, threads: 1);

    [Fact]
    public void A_mailbox_that_is_parsed_prints_as_it_was_written() => Octets.Sample(octets =>
    {
        if (!MailboxParser.TryParse(octets, out var mailbox, out var consumed, out var error))
        {
            Assert.NotEqual(PathError.None, error);
            return;
        }

        Assert.Equal(PathError.None, error);
        Assert.Equal(octets[..consumed], Encoding.UTF8.GetBytes(mailbox!.ToString()));
        Assert.DoesNotContain(mailbox.ToString(), c => char.IsControl(c) || c is '\u2028' or '\u2029');
        Assert.True(MailboxParser.TryParse(mailbox.ToString(), out var again));
        Assert.Equal(mailbox, again);
    }, iter: 20_000, threads: 1);

    [Fact]
    public void A_path_lies_between_angles() => Octets.Sample(noise =>
    {
        byte[] octets = [(byte)'<', .. noise];
        if (PathParser.TryParseForward(octets, out var forward, out var consumed, out _))
        {
            Assert.Equal((byte)'>', octets[consumed - 1]);
            Assert.EndsWith(forward.Mailbox + ">", Encoding.UTF8.GetString(octets[..consumed]));
            Assert.True(PathParser.TryParseReverse(octets, out var reverse, out _, out _));
            Assert.Equal(forward.Mailbox, reverse.Mailbox);
        }
    }, iter: 20_000, threads: 1);

    [Fact]
    public void Whatever_else_reads_octets_reads_these_too() => Octets.Sample(octets =>
    {
        _ = AddressListParser.TryParse(octets, []);
        Assert.All(Xtext.Decode(octets) ?? "", c => Assert.False(c < 32));
        Assert.All(Credentials.Prepare(octets) ?? "", c => Assert.False(char.IsControl(c)));
        var (block, refusal) = HeaderBlock.Parse(octets, Limits, smtpUtf8: true);
        Assert.True(block is null != refusal is null);
        if (SaslServer.DecodeBase64(octets) is { } decoded)
        {
            Assert.Equal(Encoding.ASCII.GetString(octets), Convert.ToBase64String(decoded));
        }

        foreach (var name in new[] { SaslServer.Plain, SaslServer.Login, SaslServer.Scram, SaslServer.ScramPlus })
        {
            var mechanism = SaslServer.Create(name, SaslServer.ByPassword, new byte[32], 100)!;
            if (mechanism.Start(octets) is SaslStep.AskVerifier)
            {
                mechanism.TakeVerifier(new ScramVerifier(1, new byte[16], new byte[32], new byte[32]), "nonce");
            }

            Assert.IsNotType<SaslStep.Done>(mechanism.Receive(octets));
        }
    }, iter: 10_000, threads: 1);

    public static TheoryData<string, string, string> Unpleasant => new()
    {
        { "command", "MAIL FROM:<", "a." },
        { "command", "MAIL FROM:<a@", "b." },
        { "command", "MAIL FROM:<", "@a.b," },
        { "command", "RCPT TO:<\"", "\\\"" },
        { "command", "MAIL FROM:<a@b>", " " },
        { "command", "MAIL FROM:<a@b> ENVID=", "+41" },
        { "command", "NOOP", " x" },
        { "addresses", "", "a@b, " },
        { "addresses", "", "," },
        { "addresses", "", "g:;" },
        { "addresses", "", "\"a\" " },
        { "addresses", "(", "(" },
        { "addresses", "", "(a)" },
        { "addresses", "", "a " },
        { "addresses", "", "a." },
        { "addresses", "", "ü" },
        { "addresses", "\"", "\\" },
        { "xtext", "", "\\x{41}" },
        { "xtext", "", "+5Cx{" },
        { "header", "", "a: b\r\n" },
        { "header", "a: b\r\n", " c\r\n" },
        { "header", "", "a" },
    };

    /// <summary>A mebibyte of what is worst for a parser: with a quadratic one this would not end. Memory is counted, no time is taken.</summary>
    [Theory]
    [MemberData(nameof(Unpleasant))]
    public void Twice_the_input_costs_about_twice_the_memory(string parser, string start, string repeated)
    {
        const int Small = 512 * 1024;
        var small = Encoding.UTF8.GetBytes(start + string.Concat(Enumerable.Repeat(repeated, Small / repeated.Length)));
        var large = Encoding.UTF8.GetBytes(start + string.Concat(Enumerable.Repeat(repeated, 2 * Small / repeated.Length)));
        Run(parser, small);
        var smallCost = Cost(parser, small);
        var largeCost = Cost(parser, large);
        Assert.True(largeCost <= (2.5 * smallCost) + 100_000, $"{smallCost} octets allocated for half the input, {largeCost} for the whole");
    }

    private static long Cost(string parser, byte[] octets)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(parser, octets);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void Run(string parser, byte[] octets)
    {
        switch (parser)
        {
            case "command":
                CommandParser.Parse(octets);
                break;
            case "addresses":
                AddressListParser.TryParse(octets, []);
                break;
            case "xtext":
                Xtext.Decode(octets);
                break;
            default:
                HeaderBlock.Parse(octets, Limits with { HeaderFields = int.MaxValue }, smtpUtf8: false);
                break;
        }
    }
}

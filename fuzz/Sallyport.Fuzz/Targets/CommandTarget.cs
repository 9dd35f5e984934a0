using Sallyport.Mail.Smtp;

namespace Sallyport.Fuzz.Targets;

/// <summary>One line of a client.</summary>
public static class CommandTarget
{
    public static void Fuzz(ReadOnlySpan<byte> octets)
    {
        var command = CommandParser.Parse(octets);
        BrokenInvariantException.Unless(Enum.IsDefined(command.Verb), $"{command.Verb} is no verb");
        if (command is Command.Malformed malformed)
        {
            BrokenInvariantException.Unless(malformed.Reply.IsPermanent, "what cannot be parsed is refused for good");
            BrokenInvariantException.Unless(!malformed.Reply.Lines.Any(line => line.Any(char.IsControl)), "a reply carries a control character");
        }

        _ = CommandParser.OtherProtocolIn(octets);
    }
}

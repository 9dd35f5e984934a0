using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Smtp;

namespace Sallyport.Fuzz.Targets;

/// <summary>Mailboxes, paths and what stands beside them.</summary>
public static class PathTarget
{
    public static void Fuzz(ReadOnlySpan<byte> octets)
    {
        if (MailboxParser.TryParse(octets, out var mailbox, out var consumed, out var error))
        {
            var text = mailbox!.ToString();
            BrokenInvariantException.Unless(octets[..consumed].SequenceEqual(Encoding.UTF8.GetBytes(text)), "a mailbox prints as it was written");
            BrokenInvariantException.Unless(
                !text.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029'), "a mailbox carries a control character");
            BrokenInvariantException.Unless(
                MailboxParser.TryParse(text, out var again) && again!.Equals(mailbox), "a mailbox is itself when it is read again");
        }
        else
        {
            BrokenInvariantException.Unless(error != PathError.None, "a refusal has a reason");
        }

        if (PathParser.TryParseForward(octets, out var forward, out consumed, out _))
        {
            BrokenInvariantException.Unless(octets[consumed - 1] == (byte)'>', "a path ends with >");
            BrokenInvariantException.Unless(
                PathParser.TryParseReverse(octets, out var reverse, out _, out _) && Equals(reverse.Mailbox, forward.Mailbox),
                "a forward path is a reverse path");
        }

        _ = PathParser.TryParseReverse(octets, out _, out _, out _);
        BrokenInvariantException.Unless((Xtext.Decode(octets) ?? "").All(c => c >= ' '), "xtext gives a control character");
    }
}

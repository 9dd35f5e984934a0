using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;

namespace Sallyport.Fuzz.Targets;

/// <summary>What a next hop answers.</summary>
public static class ReplyTarget
{
    public static void Fuzz(ReadOnlySpan<byte> octets)
    {
        var whole = Read(octets, octets.Length);
        var pieces = Read(octets, 1);
        BrokenInvariantException.Unless(
            whole.Select(reply => reply.ToString()).SequenceEqual(pieces.Select(reply => reply.ToString())), "replies depend on how they arrive");
        foreach (var reply in whole)
        {
            BrokenInvariantException.Unless(reply.Code is >= 200 and < 600, $"{reply.Code} is no code");
            BrokenInvariantException.Unless(!reply.Lines.Any(line => line.Any(char.IsControl)), "a reply carries a control character");
            _ = NextHopCapabilities.Read(reply);
        }
    }

    private static List<Reply> Read(ReadOnlySpan<byte> octets, int piece)
    {
        var replies = new List<Reply>();
        var parser = new ReplyParser();
        while (!octets.IsEmpty)
        {
            var part = octets[..Math.Min(Math.Max(1, piece), octets.Length)];
            var state = parser.Read(part, out var consumed);
            octets = octets[consumed..];
            if (state == ReplyState.Complete)
            {
                replies.Add(parser.Reply);
            }
            else if (state != ReplyState.Incomplete)
            {
                break;
            }
        }

        return replies;
    }
}

using System.Text;
using Sallyport.Mail.Text;

namespace Sallyport.Server.Reporting;

/// <summary>
/// What next hops said, cut to what a report is for. A report lists every recipient; the more there are, the less is quoted for each.
/// </summary>
internal static class ReportBounds
{
    /// <summary>Characters quoted of one reply.</summary>
    public const int ReplyMax = 1024;

    /// <summary>Characters quoted of each reply, however many there are.</summary>
    public const int ReplyMin = 128;

    /// <summary>Characters of all replies of a report together, as long as each has its <see cref="ReplyMin"/>.</summary>
    public const int RepliesMax = 128 * 1024;

    public static ReportRequest Apply(ReportRequest request)
    {
        var each = Math.Clamp(RepliesMax / Math.Max(1, request.Recipients.Length), ReplyMin, ReplyMax);
        return request with
        {
            Recipients = [.. request.Recipients.Select(one => one with
        {
            Reply = Quote(one.Reply, each),
            RemoteReply = one.RemoteReply is { } said ? Quote(said, each) : null,
        })]
        };
    }

    private static string Quote(string reply, int length)
    {
        var quoted = new StringBuilder(Math.Min(reply.Length, length));
        foreach (var rune in reply.EnumerateRunes())
        {
            if (quoted.Length + rune.Utf16SequenceLength > length)
            {
                return quoted.Append("...").ToString();
            }

            quoted.Append(DisplayText.IsDeceptive(rune) ? "?" : rune.ToString());
        }

        return quoted.ToString();
    }
}

using Sallyport.Mail.Policy;
using Sallyport.Mail.Text;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Admin.Operations;

/// <summary>What an app password may be called and limited to.</summary>
public static class AppPasswordRules
{
    public const int LabelCharactersMax = 60;
    public const int ListMax = 50;

    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(3650);

    /// <summary>Why it can be no label; null when it can.</summary>
    public static string? LabelMistake(string label) =>
        label.Trim().Length is 0 or > LabelCharactersMax || label.Contains('"', StringComparison.Ordinal) || DisplayText.Sanitize(label) != label
            ? $"\"{DisplayText.Sanitize(label)}\" cannot be a label: it needs 1 to {LabelCharactersMax} printable characters, none of them a quote"
            : null;

    /// <summary>Null for a network or an address.</summary>
    public static string? NetworkMistake(string text) => NetworkText.Parse(text) is null
        ? $"\"{DisplayText.Sanitize(text)}\" is not a network; \"192.0.2.7\", \"192.0.2.0/24\" and \"2001:db8::/32\" are"
        : null;

    /// <summary>Null for an address or a pattern.</summary>
    public static string? SenderMistake(string text) => text.Contains(':', StringComparison.Ordinal) || SenderPattern.Parse(text) is null
        ? $"\"{DisplayText.Sanitize(text)}\" is no address; \"info@acme.test\", \"*@acme.test\" and \"sales-*@acme.test\" are right"
        : null;

    /// <summary>Seconds of a life like "90d"; null when it is none.</summary>
    public static long? Life(string text) => Quantities.ParseTime(text) is { } time && time >= TimeSpan.FromSeconds(1) && time <= LongestLife
        ? (long)time.TotalSeconds
        : null;

    /// <summary>The first thing that is wrong with it; null when nothing is.</summary>
    public static string? FindMistake(NewAppPassword wanted) =>
        LabelMistake(wanted.Label)
        ?? (wanted.Seconds is { } seconds && (seconds < 1 || seconds > LongestLife.TotalSeconds) ? "it lasts 1 s to 3650 days" : null)
        ?? (wanted.Networks.Length > ListMax || wanted.Senders.Length > ListMax ? $"at most {ListMax} networks and {ListMax} senders" : null)
        ?? wanted.Networks.Select(NetworkMistake).FirstOrDefault(mistake => mistake is not null)
        ?? wanted.Senders.Select(SenderMistake).FirstOrDefault(mistake => mistake is not null);
}

using System.Globalization;
using System.Text;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Alerting;

/// <summary>An alert in words, for a mail. Nothing a client said gets into it unescaped.</summary>
internal static class AlertText
{
    public static string Of(Alert alert)
    {
        var text = new StringBuilder();
        text.Append(LogText.CleanWhole(alert.Summary)).Append("\n\n");
        if (alert.Evidence is { } evidence)
        {
            Append(text, evidence);
        }

        if (alert.Others is { Length: > 0 } others)
        {
            text.Append(CultureInfo.InvariantCulture, $"{alert.OthersCount} in all:\n");
            foreach (var other in others)
            {
                text.Append("    ").Append(LogText.Clean(other)).Append('\n');
            }

            text.Append('\n');
        }

        if (alert.Commands.Length > 0)
        {
            text.Append("What to do:\n");
            foreach (var command in alert.Commands)
            {
                text.Append("    ").Append(LogText.Clean(command)).Append('\n');
            }

            text.Append('\n');
        }

        return text.Append(CultureInfo.InvariantCulture, $"Sallyport on {alert.Server}, {alert.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z\n").ToString();
    }

    private static void Append(StringBuilder text, AlertEvidence evidence)
    {
        text.Append(CultureInfo.InvariantCulture, $"Sign        {evidence.Sign}: {evidence.Count}, and {evidence.Allowed} are let go; ");
        text.Append(CultureInfo.InvariantCulture, $"the most before was {evidence.Usual}\n");
        text.Append(CultureInfo.InvariantCulture, $"Last from   {LogText.Clean(evidence.Client)}\n");
        text.Append(CultureInfo.InvariantCulture, $"Networks    {LogText.Clean(string.Join(", ", evidence.Networks))}\n");
        text.Append(CultureInfo.InvariantCulture, $"Wrote to    {LogText.Clean(string.Join(", ", evidence.Recipients))}\n");
        text.Append(CultureInfo.InvariantCulture, $"Held        {evidence.HeldMessages} messages that waited, and all it sends from now on\n\n");
    }
}

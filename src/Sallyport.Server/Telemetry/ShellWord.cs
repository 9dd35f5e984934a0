namespace Sallyport.Server.Telemetry;

/// <summary>A name within a command that somebody copies into a shell.</summary>
public static class ShellWord
{
    private const string Plain = "@._/=+-:,%";

    /// <summary>As it is where a shell takes it so, else in quotes: "Jane Doe/Acme" is one login, and none is a command.</summary>
    public static string Of(string text) =>
        text.Length > 0 && text.All(character => char.IsAsciiLetterOrDigit(character) || Plain.Contains(character, StringComparison.Ordinal))
            ? text
            : "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}

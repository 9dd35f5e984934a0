using System.Text;
using Sallyport.Mail.Text;
using Sallyport.Server.Telemetry;

namespace Sallyport.Interaction;

/// <summary>
/// Standard error and plain lines, whatever was typed, configured or answered: nothing in them moves the cursor, colours the terminal or
/// turns text around. Ends of lines and tabs stay.
/// </summary>
internal sealed class CleanWriter(TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public static string Clean(string text) =>
        string.Join('\t', text.Split('\t').Select(part => string.Join('\n', part.Split('\n').Select(LogText.CleanWhole))));

    public override void Write(char value)
    {
        if (value is not ('\n' or '\r' or '\t') && Rune.TryCreate(value, out var rune) && DisplayText.IsDeceptive(rune))
        {
            inner.Write(LogText.CleanWhole(value.ToString()));
        }
        else
        {
            inner.Write(value);
        }
    }

    public override void Write(string? value) => inner.Write(Clean(value ?? ""));

    public override void WriteLine(string? value) => inner.WriteLine(Clean(value ?? ""));

    public override void Flush() => inner.Flush();
}

using Sallyport.Mail.Sasl;
using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>[submission].</summary>
internal static class SubmissionReader
{
    public static SubmissionOptions Read(Section section)
    {
        var d = new SubmissionOptions();
        var options = new SubmissionOptions
        {
            BareNewlines = section.Choice("bare_newlines", ("normalise", BareNewlines.Normalise), ("refuse", BareNewlines.Refuse)) ?? d.BareNewlines,
            Mechanisms = ReadMechanisms(section),
            ShowLogin = section.Flag("show_login", d.ShowLogin),
            ShowClient = section.Flag("show_client", d.ShowClient),
        };
        section.Finish();
        return options;
    }

    private static ValueList<string> ReadMechanisms(Section section)
    {
        foreach (var (text, line) in section.Texts("mechanisms").Where(name => !SaslServer.All.Contains(name.Text)))
        {
            section.Report(line, "mechanisms", $"\"{text}\" is not a mechanism of this server" + Section.Guess(text, SaslServer.All));
        }

        return [.. section.Texts("mechanisms").Select(name => name.Text)];
    }
}

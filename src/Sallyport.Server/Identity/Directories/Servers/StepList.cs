using Sallyport.Mail.Text;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Directories.Servers;

/// <summary>Writes down what happens on the way to an answer, when somebody wants to know. A server that repeats a secret is not quoted.</summary>
internal sealed class StepList(IList<DirectoryStep>? steps, string what, string secret)
{
    public void Ok(string detail) => Add("ok", detail);

    public void Add(string outcome, string detail)
    {
        var shown = secret.Length > 0 ? detail.Replace(secret, "***", StringComparison.Ordinal) : detail;
        steps?.Add(new DirectoryStep(what, outcome, DisplayText.Sanitize(shown)));
    }
}

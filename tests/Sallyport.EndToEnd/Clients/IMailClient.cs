using Sallyport.EndToEnd.Harness;

namespace Sallyport.EndToEnd.Clients;

/// <summary>One real program or library people send mail with.</summary>
internal interface IMailClient
{
    /// <summary>Mechanisms it can be told to use.</summary>
    string[] Mechanisms { get; }

    bool CanSmtpUtf8 { get; }

    /// <summary>Logs in with the mechanism and sends. Throws with the client's own words when it did not succeed.</summary>
    Task SendAsync(Target target, string mechanism, Message message);
}

/// <summary>Where and as whom.</summary>
internal sealed record Target(int Port, bool ImplicitTls, string CaFile, string Login, string Password, TestFolder Folder)
{
    /// <summary>The client's own certificate and key.</summary>
    public (string Certificate, string Key)? Certificate { get; init; }

    public static Target Of(SallyportServer server, bool implicitTls) => new(
        implicitTls ? server.ImplicitTlsPort : server.SubmissionPort, implicitTls, server.Certificates.CaFile,
        SallyportServer.Login, SallyportServer.Password, server.Folder);
}

internal static class MailClients
{
    public static readonly Dictionary<string, IMailClient> All = new()
    {
        ["swaks"] = new Swaks(),
        ["curl"] = new Curl(),
        ["msmtp"] = new Msmtp(),
        ["smtplib"] = new PythonSmtplib(),
        ["nodemailer"] = new Nodemailer(),
        ["MailKit"] = new MailKitClient(),
    };

    public static void Check(ToolResult result, string program)
    {
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} ended with {result.ExitCode}: {result.All}");
        }
    }
}

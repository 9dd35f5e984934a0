using Sallyport.EndToEnd.Harness;

namespace Sallyport.EndToEnd.Clients;

internal sealed class Curl : IMailClient
{
    public string[] Mechanisms => ["PLAIN", "LOGIN"];

    public bool CanSmtpUtf8 => true;

    public async Task SendAsync(Target target, string mechanism, Message message) => MailClients.Check(
        await Tool.RunAsync(Peers.Require("curl"), [
            "--silent", "--show-error", "--ssl-reqd", "--cacert", target.CaFile,
            $"{(target.ImplicitTls ? "smtps" : "smtp")}://localhost:{target.Port}/client.test",
            "--login-options", "AUTH=" + mechanism, "--user", $"{target.Login}:{target.Password}",
            "--mail-from", message.From, "--mail-rcpt", message.To, "--upload-file", message.File],
            environment: new Dictionary<string, string> { ["LC_ALL"] = "C.UTF-8" }),
        "curl");
}

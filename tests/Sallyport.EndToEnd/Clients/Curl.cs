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
            "--login-options", "AUTH=" + mechanism, .. Secret(target, mechanism),
            "--mail-from", message.From, "--mail-rcpt", message.To, "--upload-file", message.File],
            environment: new Dictionary<string, string> { ["LC_ALL"] = "C.UTF-8" }),
        "curl");

    private static string[] Secret(Target target, string mechanism) => mechanism switch
    {
        "OAUTHBEARER" or "XOAUTH2" => ["--user", target.Login, "--oauth2-bearer", target.Password],
        "EXTERNAL" => ["--user", target.Login + ":", "--cert", target.Certificate!.Value.Certificate, "--key", target.Certificate.Value.Key],
        _ => ["--user", $"{target.Login}:{target.Password}"],
    };
}

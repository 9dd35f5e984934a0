using Sallyport.EndToEnd.Harness;

namespace Sallyport.EndToEnd.Clients;

internal sealed class Swaks : IMailClient
{
    public string[] Mechanisms => ["PLAIN", "LOGIN"];

    public bool CanSmtpUtf8 => false;

    public async Task SendAsync(Target target, string mechanism, Message message) => MailClients.Check(
        await Tool.RunAsync(Peers.Require("swaks"), [
            "--server", "localhost", "--port", $"{target.Port}", target.ImplicitTls ? "--tls-on-connect" : "--tls",
            "--tls-verify", "--tls-ca-path", target.CaFile, "--auth", mechanism, "--auth-user", target.Login,
            "--auth-password", target.Password, "--helo", "client.test", "--from", message.From, "--to", message.To,
            "--data", "@" + message.File, "--suppress-data"]),
        "swaks");
}

using Sallyport.EndToEnd.Harness;

namespace Sallyport.EndToEnd.Clients;

internal sealed class Swaks : IMailClient
{
    public string[] Mechanisms => ["PLAIN", "LOGIN"];

    public bool CanSmtpUtf8 => false;

    public async Task SendAsync(Target target, string mechanism, Message message)
    {
        // swaks ends what it reads with a line end of its own.
        var file = message.File + ".swaks";
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(message.File))[..^2]);
        MailClients.Check(await Tool.RunAsync(Peers.Require("swaks"), [
            "--server", "localhost", "--port", $"{target.Port}", target.ImplicitTls ? "--tls-on-connect" : "--tls",
            "--tls-verify", "--tls-ca-path", target.CaFile, "--auth", mechanism, "--auth-user", target.Login,
            "--auth-password", target.Password, "--helo", "client.test", "--from", message.From, "--to", message.To,
            "--data", "@" + file, "--suppress-data"]),
            "swaks");
    }
}

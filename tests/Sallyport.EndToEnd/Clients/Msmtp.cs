using Sallyport.EndToEnd.Harness;

namespace Sallyport.EndToEnd.Clients;

internal sealed class Msmtp : IMailClient
{
    public string[] Mechanisms => ["PLAIN", "LOGIN", "SCRAM-SHA-256"];

    public bool CanSmtpUtf8 => false;

    public async Task SendAsync(Target target, string mechanism, Message message)
    {
        var secret = target.Folder.Write("msmtp-" + message.Token, target.Password);
        MailClients.Check(
            await Tool.RunAsync("sh", ["-c", "exec \"$@\" <" + message.File, "sh", Peers.Require("msmtp"), "--file=/dev/null",
                "--host=localhost", $"--port={target.Port}", "--tls=on", "--tls-starttls=" + (target.ImplicitTls ? "off" : "on"),
                "--tls-trust-file=" + target.CaFile, "--auth=" + mechanism.ToLowerInvariant(), "--user=" + target.Login,
                "--passwordeval=cat " + secret, "--domain=client.test", "--from=" + message.From, message.To]),
            "msmtp");
    }
}

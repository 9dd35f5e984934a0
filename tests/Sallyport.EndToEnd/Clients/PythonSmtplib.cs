using Sallyport.EndToEnd.Harness;

namespace Sallyport.EndToEnd.Clients;

internal sealed class PythonSmtplib : IMailClient
{
    private const string Script = """
        import smtplib, ssl, sys
        port, implicit, ca, mechanism, login, sender, recipient, path, utf8 = sys.argv[1:]
        password = sys.stdin.readline().rstrip("\n")
        context = ssl.create_default_context(cafile=ca)
        if implicit == "True":
            server = smtplib.SMTP_SSL("localhost", int(port), "client.test", context=context, timeout=60)
        else:
            server = smtplib.SMTP("localhost", int(port), "client.test", timeout=60)
            server.starttls(context=context)
        server.ehlo()
        server.user, server.password = login, password
        server.auth(mechanism, server.auth_plain if mechanism == "PLAIN" else server.auth_login)
        options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 == "True" else ["BODY=8BITMIME"]
        server.sendmail(sender, [recipient], open(path, "rb").read(), mail_options=options)
        server.quit()
        """;

    public string[] Mechanisms => ["PLAIN", "LOGIN"];

    public bool CanSmtpUtf8 => true;

    public async Task SendAsync(Target target, string mechanism, Message message) => MailClients.Check(
        await Tool.RunAsync(Peers.Require("python3"), ["-c", Script, $"{target.Port}", $"{target.ImplicitTls}", target.CaFile,
            mechanism, target.Login, message.From, message.To, message.File, $"{message.NeedsSmtpUtf8}"],
            target.Password + "\n", new Dictionary<string, string> { ["PYTHONUTF8"] = "1" }),
        "smtplib");
}

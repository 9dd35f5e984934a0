using Sallyport.EndToEnd.Harness;

namespace Sallyport.EndToEnd.Clients;

internal sealed class PythonSmtplib : IMailClient
{
    private const string Script = """
        import smtplib, ssl, sys
        port, implicit, ca, mechanism, login, sender, recipient, path, utf8, certificate, key = sys.argv[1:]
        password = sys.stdin.readline().rstrip("\n")
        context = ssl.create_default_context(cafile=ca)
        if certificate:
            context.load_cert_chain(certificate, key)
        if implicit == "True":
            server = smtplib.SMTP_SSL("localhost", int(port), "client.test", context=context, timeout=60)
        else:
            server = smtplib.SMTP("localhost", int(port), "client.test", timeout=60)
            server.starttls(context=context)
        server.ehlo()
        server.user, server.password = login, password
        server.auth(mechanism, {
            "PLAIN": server.auth_plain,
            "LOGIN": server.auth_login,
            "EXTERNAL": lambda challenge=None: login,
            "XOAUTH2": lambda challenge=None: "" if challenge else f"user={login}\x01auth=Bearer {password}\x01\x01",
        }[mechanism])
        options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 == "True" else ["BODY=8BITMIME"]
        server.sendmail(sender, [recipient], open(path, "rb").read(), mail_options=options)
        server.quit()
        """;

    public string[] Mechanisms => ["PLAIN", "LOGIN"];

    public bool CanSmtpUtf8 => true;

    public async Task SendAsync(Target target, string mechanism, Message message) => MailClients.Check(
        await Tool.RunAsync(Peers.Require("python3"), ["-c", Script, $"{target.Port}", $"{target.ImplicitTls}", target.CaFile,
            mechanism, target.Login, message.From, message.To, message.File, $"{message.NeedsSmtpUtf8}",
            target.Certificate?.Certificate ?? "", target.Certificate?.Key ?? ""],
            target.Password + "\n", new Dictionary<string, string> { ["PYTHONUTF8"] = "1" }),
        "smtplib");
}

using Sallyport.EndToEnd.Harness;

namespace Sallyport.EndToEnd.Clients;

internal sealed class Nodemailer : IMailClient
{
    private const string Script = """
        const fs = require('fs'), nodemailer = require('nodemailer');
        const [port, implicit, ca, mechanism, login, from, to, path] = process.argv.slice(1);
        const pass = fs.readFileSync(0, 'utf8').replace(/\n$/, '');
        const transport = nodemailer.createTransport({
          host: 'localhost', port: Number(port), secure: implicit === 'True', requireTLS: implicit !== 'True',
          name: 'client.test', authMethod: mechanism,
          auth: mechanism === 'XOAUTH2' ? { type: 'OAuth2', user: login, accessToken: pass } : { user: login, pass },
          tls: { ca: fs.readFileSync(ca) } });
        transport.sendMail({ envelope: { from, to: [to] }, raw: fs.readFileSync(path) })
          .then(() => transport.close(), error => { console.error(error); process.exit(1); });
        """;

    public string[] Mechanisms => ["PLAIN", "LOGIN"];

    public bool CanSmtpUtf8 => true;

    public async Task SendAsync(Target target, string mechanism, Message message) => MailClients.Check(
        await Tool.RunAsync(Peers.RequireNodeModule("nodemailer"), ["-e", Script, "--", $"{target.Port}", $"{target.ImplicitTls}",
            target.CaFile, mechanism, target.Login, message.From, message.To, message.File], target.Password + "\n"),
        "nodemailer");
}

using System.Security.Cryptography.X509Certificates;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Sallyport.EndToEnd.Harness;

namespace Sallyport.EndToEnd.Clients;

internal sealed class MailKitClient : IMailClient
{
    public string[] Mechanisms => ["PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"];

    public bool CanSmtpUtf8 => true;

    public async Task SendAsync(Target target, string mechanism, Message message)
    {
        using var ca = X509CertificateLoader.LoadCertificateFromFile(target.CaFile);
        using var client = new SmtpClient { LocalDomain = "client.test", CheckCertificateRevocation = false };
        client.ServerCertificateValidationCallback = (_, certificate, _, _) => Trusts(ca, (X509Certificate2)certificate!);
        await client.ConnectAsync("localhost", target.Port,
            target.ImplicitTls ? SecureSocketOptions.SslOnConnect : SecureSocketOptions.StartTls);
        await client.AuthenticateAsync(Mechanism(mechanism, target));
        var options = FormatOptions.Default.Clone();
        options.International = message.NeedsSmtpUtf8;
        using var mail = await MimeMessage.LoadAsync(message.File);
        await client.SendAsync(options, mail, MailboxAddress.Parse(message.From), [MailboxAddress.Parse(message.To)]);
        await client.DisconnectAsync(true);
    }

    private static SaslMechanism Mechanism(string name, Target target) => name switch
    {
        "PLAIN" => new SaslMechanismPlain(target.Login, target.Password),
        "LOGIN" => new SaslMechanismLogin(target.Login, target.Password),
        "SCRAM-SHA-256" => new SaslMechanismScramSha256(target.Login, target.Password),
        "OAUTHBEARER" => new SaslMechanismOAuthBearer(target.Login, target.Password),
        "XOAUTH2" => new SaslMechanismOAuth2(target.Login, target.Password),
        _ => new SaslMechanismScramSha256Plus(target.Login, target.Password),
    };

    private static bool Trusts(X509Certificate2 ca, X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(ca);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }
}

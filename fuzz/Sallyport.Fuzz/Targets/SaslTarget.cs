using System.Text;
using Sallyport.Mail.Sasl;

namespace Sallyport.Fuzz.Targets;

/// <summary>Messages of every mechanism, server and client side. Nobody gets in by what is made of noise.</summary>
public static class SaslTarget
{
    public static void Fuzz(ReadOnlySpan<byte> octets)
    {
        var message = octets.ToArray();
        foreach (var name in SaslServer.All)
        {
            if (SaslServer.Create(name, SaslServer.All, new byte[32], 4096) is not { } mechanism)
            {
                continue;
            }

            var step = mechanism.Start(message);
            if (step is SaslStep.AskVerifier)
            {
                step = mechanism.TakeVerifier(new ScramVerifier(1, new byte[16], new byte[32], new byte[32]), "nonce");
            }

            if (step is SaslStep.Challenge)
            {
                step = mechanism.Receive(message);
            }

            BrokenInvariantException.Unless(step is not SaslStep.Done, $"{name} let noise in");
        }

        if (SaslServer.DecodeBase64(octets) is { } decoded)
        {
            BrokenInvariantException.Unless(Encoding.ASCII.GetString(octets) == Convert.ToBase64String(decoded), "base64 has one form");
        }

        BrokenInvariantException.Unless(!(Credentials.Prepare(octets) ?? "").Any(char.IsControl), "a credential carries a control character");
        foreach (var mechanism in (string[])[SaslServer.Scram, SaslServer.Plain, SaslServer.Login])
        {
            var client = SaslClient.Choose([mechanism], "jane", "secret", default, "nonce");
            _ = client?.Initial();
            _ = client?.Respond(message);
            BrokenInvariantException.Unless(
                mechanism != SaslServer.Scram || client is null || !client.IsSatisfied, "a server proved itself with noise");
        }
    }
}

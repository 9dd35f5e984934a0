using System.Security.Cryptography;
using System.Text;

namespace Sallyport.Mail.Sasl;

/// <summary>A mechanism from the client's side: our login at a next hop.</summary>
public abstract class SaslClient(string name)
{
    public string Name => name;

    /// <summary>The initial response (RFC 4954 §4); null when the server speaks first.</summary>
    public abstract byte[]? Initial();

    /// <summary>The response to a challenge; null when the server breaks the mechanism or proves not to know the password.</summary>
    public abstract byte[]? Respond(byte[] challenge);

    /// <summary>Whether a 235 may be believed: SCRAM wants the server's proof first.</summary>
    public virtual bool IsSatisfied => true;

    /// <summary>The strongest mechanism both know; null when there is none.</summary>
    /// <param name="serverEndPoint">Channel binding (RFC 5929 §4); empty without TLS.</param>
    /// <param name="nonce">Fresh and random, of at least 18 printable characters.</param>
    public static SaslClient? Choose(
        IReadOnlyCollection<string> offered, string login, string password, ReadOnlyMemory<byte> serverEndPoint, string nonce)
    {
        var bound = offered.Contains(SaslServer.ScramPlus) && !serverEndPoint.IsEmpty;
        if (bound || offered.Contains(SaslServer.Scram))
        {
            return new ScramClient(bound, login, password, serverEndPoint, nonce);
        }

        return offered.Contains(SaslServer.Plain) ? new PlainClient(login, password)
            : offered.Contains(SaslServer.Login) ? new LoginClient(login, password)
            : null;
    }

    private sealed class PlainClient(string login, string password) : SaslClient(SaslServer.Plain)
    {
        public override byte[] Initial() => Encoding.UTF8.GetBytes($"\0{login}\0{password}");

        public override byte[]? Respond(byte[] challenge) => null;
    }

    private sealed class LoginClient(string login, string password) : SaslClient(SaslServer.Login)
    {
        private int _step;

        public override byte[]? Initial() => null;

        public override byte[]? Respond(byte[] challenge) => _step++ switch
        {
            0 => Encoding.UTF8.GetBytes(login),
            1 => Encoding.UTF8.GetBytes(password),
            _ => null,
        };
    }

    /// <summary>SCRAM-SHA-256 and -PLUS (RFC 5802, RFC 7677).</summary>
    private sealed class ScramClient(bool plus, string login, string password, ReadOnlyMemory<byte> serverEndPoint, string nonce)
        : SaslClient(plus ? SaslServer.ScramPlus : SaslServer.Scram)
    {
        private const int IterationsMax = 10_000_000;

        private readonly string _gs2Header = plus ? "p=tls-server-end-point,," : "n,,";
        private readonly string _first =
            $"n={login.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal)},r={nonce}";

        private byte[]? _serverSignature;
        private bool _verified;

        public override bool IsSatisfied => _verified;

        public override byte[] Initial() => Encoding.UTF8.GetBytes(_gs2Header + _first);

        public override byte[]? Respond(byte[] challenge)
        {
            var text = Encoding.UTF8.GetString(challenge);
            return _serverSignature is null ? Prove(text) : Verify(text);
        }

        private byte[]? Prove(string serverFirst)
        {
            var fields = serverFirst.Split(',');
            if (fields.Length < 3 || !fields[0].StartsWith("r=" + nonce, StringComparison.Ordinal) || fields[0].Length <= nonce.Length + 2
                || !fields[1].StartsWith("s=", StringComparison.Ordinal) || !fields[2].StartsWith("i=", StringComparison.Ordinal)
                || !int.TryParse(fields[2].AsSpan(2), System.Globalization.NumberStyles.None, null, out var iterations)
                || iterations is < 1 or > IterationsMax || SaslServer.DecodeBase64(Encoding.UTF8.GetBytes(fields[1][2..])) is not { } salt)
            {
                return null;
            }

            byte[] binding = [.. Encoding.UTF8.GetBytes(_gs2Header), .. plus ? serverEndPoint.Span : default];
            var withoutProof = $"c={Convert.ToBase64String(binding)},{fields[0]}";
            var authMessage = $"{_first},{serverFirst},{withoutProof}";
            var salted = ScramSha256.SaltedPassword(password, salt, iterations);
            var clientKey = ScramSha256.ClientKey(salted);
            var proof = ScramSha256.Xor(clientKey, ScramSha256.Sign(SHA256.HashData(clientKey), authMessage));
            _serverSignature = ScramSha256.Sign(ScramSha256.ServerKey(salted), authMessage);
            return Encoding.UTF8.GetBytes($"{withoutProof},p={Convert.ToBase64String(proof)}");
        }

        private byte[]? Verify(string serverFinal)
        {
            _verified = serverFinal.StartsWith("v=", StringComparison.Ordinal)
                && SaslServer.DecodeBase64(Encoding.UTF8.GetBytes(serverFinal[2..])) is { } signature
                && CryptographicOperations.FixedTimeEquals(signature, _serverSignature);
            return _verified ? [] : null;
        }
    }
}

using System.Text;
using BenchmarkDotNet.Attributes;
using Sallyport.Mail.Sasl;

namespace Sallyport.Benchmarks;

/// <summary>One login, without the directory.</summary>
[MemoryDiagnoser]
public class SaslBenchmarks
{
    private static readonly byte[] Plain = "\0jane@acme.test\0secret"u8.ToArray();
    private static readonly byte[] ClientFirst = "n,,n=jane,r=rOprNGfwEbeRWgbNEkqO"u8.ToArray();
    private static readonly byte[] ClientFinal = Encoding.ASCII.GetBytes(
        $"c=biws,r=rOprNGfwEbeRWgbNEkqOnonce,p={Convert.ToBase64String(new byte[32])}");
    private static readonly ScramVerifier Verifier = new(4096, new byte[16], new byte[32], new byte[32]);
    private static readonly byte[] Salt = new byte[16];

    [Benchmark]
    public SaslStep PlainMessage() => SaslServer.Create(SaslServer.Plain, SaslServer.ByPassword, default, 4096)!.Start(Plain);

    [Benchmark]
    public SaslStep ScramExchange()
    {
        var mechanism = SaslServer.Create(SaslServer.Scram, SaslServer.ByPassword, default, 4096)!;
        mechanism.Start(ClientFirst);
        mechanism.TakeVerifier(Verifier, "nonce");
        return mechanism.Receive(ClientFinal);
    }

    [Benchmark]
    public byte[] SaltedPassword() => ScramSha256.SaltedPassword("secret", Salt, 4096);
}

using System.Text;

namespace Sallyport.Server.Identity.Directories.Hashes;

/// <summary>
/// The digest behind Domino's HTTPPassword: the skeleton of MD2 (RFC 1319) with another permutation and another use of its index.
/// Always padded: a message whose length is a multiple of 16 gets a whole block more.
/// </summary>
internal static class DominoDigest
{
    public const int Bytes = 16;
    private const int Passes = 18;

    // 256-byte permutation, as published with John the Ripper's lotus5 format.
    private static readonly byte[] Table = Convert.FromHexString(
        "bd56eaf2a2f1ac2ab093d19c1b33fdd03004b6dc7ddf324bf7cb459b31bb215a"
        + "419fe1d94a4d9edaa0682cc3275f80363eeefb951afecea834a913f0a63fd80c"
        + "7824af2352c16717f56690e7e807b86048e61e53f392a4728c08156e860084fa"
        + "f47f8a4219f6dbcd148d5012ba3c064eecb33511a1888e2b9499b77174d3e4bf"
        + "3ade960ebc0aed77fc376b03798962c6d7c0d27c6a8b22a35b055d0275d561e3"
        + "188f5551ad1f0b5e85e5c25763ca3d6cb4c5cc70b291590d4720c84f58e001e2"
        + "1638c46f3b0f6546be7e2d7b82f940b51d73f8eb26c787972554b128aa989da5"
        + "646d7ad4108144ef49d6ae2edd765c2fa71cc909699a83cf2939b9e94cff43ab");

    public static byte[] Of(string text) => Of(Encoding.UTF8.GetBytes(text));

    public static byte[] Of(ReadOnlySpan<byte> message)
    {
        Span<byte> state = stackalloc byte[Bytes];
        Span<byte> checksum = stackalloc byte[Bytes];
        state.Clear();
        checksum.Clear();
        var padding = Bytes - (message.Length % Bytes);
        Span<byte> block = stackalloc byte[Bytes];
        for (var at = 0; at < message.Length + padding; at += Bytes)
        {
            block.Fill((byte)padding);
            if (at < message.Length)
            {
                message[at..Math.Min(message.Length, at + Bytes)].CopyTo(block);
            }

            Compress(state, block);
            Check(checksum, block);
        }

        Compress(state, checksum);
        return state.ToArray();
    }

    private static void Compress(Span<byte> state, ReadOnlySpan<byte> block)
    {
        Span<byte> work = stackalloc byte[3 * Bytes];
        state.CopyTo(work);
        block.CopyTo(work[Bytes..]);
        for (var i = 0; i < Bytes; i++)
        {
            work[(2 * Bytes) + i] = (byte)(state[i] ^ block[i]);
        }

        byte t = 0;
        for (var pass = 0; pass < Passes; pass++)
        {
            for (var i = 0; i < work.Length; i++)
            {
                work[i] ^= Table[(t + work.Length - i) & 0xFF];
                t = work[i];
            }
        }

        work[..Bytes].CopyTo(state);
    }

    private static void Check(Span<byte> checksum, ReadOnlySpan<byte> block)
    {
        var t = checksum[^1];
        for (var i = 0; i < Bytes; i++)
        {
            checksum[i] ^= Table[block[i] ^ t];
            t = checksum[i];
        }
    }
}

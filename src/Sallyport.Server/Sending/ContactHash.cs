using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using Sallyport.Mail.Addressing;
using Sallyport.Server.State;

namespace Sallyport.Server.Sending;

/// <summary>
/// Mailboxes as 64 bits, SipHash-2-4 under a key of the site's own: nobody outside can find two that look the same, and the store does
/// not say whom people write to.
/// </summary>
public sealed class ContactHash(ulong k0, ulong k1)
{
    private const int CharactersOnStack = 512;

    public ContactHash(SiteKeys keys)
        : this(BinaryPrimitives.ReadUInt64LittleEndian(keys.Contacts.Span), BinaryPrimitives.ReadUInt64LittleEndian(keys.Contacts.Span[8..]))
    {
    }

    /// <summary>Of <see cref="Mailbox.Canonical"/>, without making it.</summary>
    public ulong Of(Mailbox mailbox)
    {
        var (local, domain) = (mailbox.LocalPart, mailbox.AsciiDomain);
        var length = local.Length + 1 + domain.Length;
        Span<char> text = length <= CharactersOnStack ? stackalloc char[length] : new char[length];
        local.AsSpan().ToLowerInvariant(text);
        text[local.Length] = '@';
        domain.CopyTo(text[(local.Length + 1)..]);
        return Of(MemoryMarshal.AsBytes(text));
    }

    public ulong Of(ReadOnlySpan<byte> octets)
    {
        var (v0, v1) = (k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d);
        var (v2, v3) = (k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573);
        var last = (ulong)octets.Length << 56;
        for (; octets.Length >= sizeof(ulong); octets = octets[sizeof(ulong)..])
        {
            Mix(BinaryPrimitives.ReadUInt64LittleEndian(octets), ref v0, ref v1, ref v2, ref v3);
        }

        for (var i = 0; i < octets.Length; i++)
        {
            last |= (ulong)octets[i] << (8 * i);
        }

        Mix(last, ref v0, ref v1, ref v2, ref v3);
        v2 ^= 0xff;
        for (var i = 0; i < 4; i++)
        {
            Round(ref v0, ref v1, ref v2, ref v3);
        }

        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static void Mix(ulong word, ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v3 ^= word;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= word;
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}

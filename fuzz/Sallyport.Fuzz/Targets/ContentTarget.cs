using System.Buffers;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;

namespace Sallyport.Fuzz.Targets;

/// <summary>DATA and BDAT: what comes out does not depend on how it comes in, and dot-stuffing is undone by what undoes it.</summary>
public static class ContentTarget
{
    private static readonly SmtpLimits Limits = new();

    public static void Fuzz(ReadOnlySpan<byte> octets)
    {
        var piece = octets.IsEmpty ? 1 : 1 + (octets[0] % 5);
        var (whole, wholeFacts) = Data(octets, octets.Length);
        var (pieces, piecesFacts) = Data(octets, piece);
        BrokenInvariantException.Unless(whole.AsSpan().SequenceEqual(pieces), "DATA depends on how it arrives");
        BrokenInvariantException.Unless(wholeFacts.Bytes == piecesFacts.Bytes, "DATA counts depend on how it arrives");
        var (chunk, _) = Chunk(octets, octets.Length);
        var (chunks, _) = Chunk(octets, piece);
        BrokenInvariantException.Unless(chunk.AsSpan().SequenceEqual(chunks), "BDAT depends on how it arrives");

        if (whole.Contains((byte)0))
        {
            return; // is refused before it is kept; the stuffer holds to that
        }

        var stuffed = new ArrayBufferWriter<byte>();
        var stuffer = new DotStuffer();
        stuffer.Write(whole, stuffed);
        stuffer.Finish(stuffed);
        var (again, _) = Data(stuffed.WrittenSpan, stuffed.WrittenCount);
        BrokenInvariantException.Unless(again.AsSpan().StartsWith(whole), "what is stuffed comes back");
    }

    private static (byte[] Content, ContentFacts Facts) Data(ReadOnlySpan<byte> octets, int piece)
    {
        var decoder = new DataDecoder(Limits);
        var output = new ArrayBufferWriter<byte>();
        while (!octets.IsEmpty)
        {
            var part = octets[..Math.Min(Math.Max(1, piece), octets.Length)];
            if (decoder.Decode(part, output, out var consumed))
            {
                break;
            }

            BrokenInvariantException.Unless(consumed == part.Length, "all is consumed until the end is found");
            octets = octets[consumed..];
        }

        return (output.WrittenSpan.ToArray(), decoder.Facts);
    }

    private static (byte[] Content, ContentFacts Facts) Chunk(ReadOnlySpan<byte> octets, int piece)
    {
        var decoder = new ChunkDecoder(Limits);
        var output = new ArrayBufferWriter<byte>();
        while (!octets.IsEmpty)
        {
            var part = octets[..Math.Min(Math.Max(1, piece), octets.Length)];
            decoder.Decode(part, output);
            octets = octets[part.Length..];
        }

        decoder.Finish(output);
        return (output.WrittenSpan.ToArray(), decoder.Facts);
    }
}

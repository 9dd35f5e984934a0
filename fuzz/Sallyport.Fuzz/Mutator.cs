namespace Sallyport.Fuzz;

/// <summary>Changes inputs at random, without looking at coverage: for a minute on any machine.</summary>
public sealed class Mutator(IReadOnlyList<byte[]> corpus, int seed)
{
    private const int LengthMax = 16 * 1024;
    private const int ChangesMax = 6;
    private static readonly byte[] Telling = [0, 9, 10, 13, 32, (byte)'"', (byte)'.', (byte)'<', (byte)'>', (byte)'\\', 127, 128, 192, 255];

    private readonly Random _random = new(seed);

    public byte[] Next()
    {
        var octets = new List<byte>(Pick());
        for (var changes = _random.Next(1, ChangesMax + 1); changes > 0; changes--)
        {
            Change(octets);
        }

        return [.. octets.Take(LengthMax)];
    }

    private byte[] Pick() => corpus[_random.Next(corpus.Count)];

    private void Change(List<byte> octets)
    {
        var at = _random.Next(octets.Count + 1);
        var length = _random.Next(Math.Min(32, octets.Count - at) + 1);
        switch (_random.Next(7))
        {
            case 0 when at < octets.Count:
                octets[at] = (byte)_random.Next(256);
                break;
            case 1 when at < octets.Count:
                octets[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 2:
                octets.RemoveRange(at, length);
                break;
            case 3:
                octets.InsertRange(_random.Next(octets.Count + 1), octets.GetRange(at, length));
                break;
            case 4:
                var other = Pick();
                var from = _random.Next(other.Length + 1);
                octets.InsertRange(at, other.Skip(from).Take(_random.Next(64)));
                break;
            case 5 when length > 0 && octets.Count < LengthMax:
                octets.InsertRange(at, Enumerable.Repeat(octets.GetRange(at, length), _random.Next(1, 200)).SelectMany(static part => part));
                break;
            default:
                octets.Insert(at, Telling[_random.Next(Telling.Length)]);
                break;
        }
    }
}

namespace Sallyport.Mail.Smtp;

/// <summary>
/// Sallyport's name for one message: 6 to 32 characters of 0-9 and A-Z, given before its content is read.
/// It is in the 250, the Received header, each log line and each command of the operator.
/// </summary>
public readonly record struct QueueId
{
    public const int LengthMin = 6;
    public const int LengthMax = 32;

    private readonly string? _text;

    private QueueId(string text) => _text = text;

    public static bool TryParse(string? text, out QueueId id)
    {
        id = default;
        if (text is null || text.Length is < LengthMin or > LengthMax || text.AsSpan().IndexOfAnyExcept(Alphabet) >= 0)
        {
            return false;
        }

        id = new QueueId(text);
        return true;
    }

    /// <summary>Ordered by time: 10 characters of microseconds since 2020, then 5 from <paramref name="entropy"/>.</summary>
    public static QueueId Create(DateTimeOffset now, uint entropy)
    {
        Span<char> text = stackalloc char[15];
        var microseconds = (ulong)Math.Max(0, (now - Epoch).Ticks / TimeSpan.TicksPerMicrosecond);
        Write(text[..10], microseconds);
        Write(text[10..], entropy);
        return new QueueId(new string(text));
    }

    public override string ToString() => _text ?? "";

    private static readonly DateTimeOffset Epoch = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly System.Buffers.SearchValues<char> Alphabet =
        System.Buffers.SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static void Write(Span<char> text, ulong value)
    {
        const string Digits = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"; // no I, no O: it is read aloud on telephones
        for (var i = text.Length - 1; i >= 0; i--)
        {
            text[i] = Digits[(int)(value % (ulong)Digits.Length)];
            value /= (ulong)Digits.Length;
        }
    }
}

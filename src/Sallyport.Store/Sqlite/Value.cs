namespace Sallyport.Store.Sqlite;

/// <summary>A parameter of a statement: a number, a text, octets or nothing, without boxing.</summary>
internal readonly struct Value
{
    private Value(ValueKind kind, long number = 0, string? text = null, ReadOnlyMemory<byte> octets = default) =>
        (Kind, Number, Text, Octets) = (kind, number, text, octets);

    public static Value Null => default;

    public ValueKind Kind { get; }

    public long Number { get; }

    public string? Text { get; }

    public ReadOnlyMemory<byte> Octets { get; }

    public static implicit operator Value(long number) => new(ValueKind.Number, number);

    public static implicit operator Value(int number) => new(ValueKind.Number, number);

    public static implicit operator Value(bool yes) => new(ValueKind.Number, yes ? 1 : 0);

    public static implicit operator Value(long? number) => number is { } known ? new(ValueKind.Number, known) : Null;

    public static implicit operator Value(int? number) => number is { } known ? new(ValueKind.Number, known) : Null;

    public static implicit operator Value(string? text) => text is null ? default : new(ValueKind.Text, text: text);

    public static implicit operator Value(byte[] octets) => new(ValueKind.Octets, octets: octets);

    public static implicit operator Value(ReadOnlyMemory<byte> octets) => new(ValueKind.Octets, octets: octets);

    public static implicit operator Value(Memory<byte> octets) => new(ValueKind.Octets, octets: octets);
}

internal enum ValueKind
{
    Null,
    Number,
    Text,
    Octets,
}

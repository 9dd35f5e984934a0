using System.Collections;
using System.Collections.Immutable;

namespace Sallyport.Server.Configuration;

/// <summary>Texts of a configuration, equal when they are the same in the same order: an unchanged directory keeps its connections.</summary>
public readonly struct TextList(ImmutableArray<string> items) : IEquatable<TextList>, IReadOnlyList<string>
{
    private readonly ImmutableArray<string> _items = items;

    public ImmutableArray<string> Items => _items.IsDefault ? [] : _items;

    public int Count => Items.Length;

    public string this[int index] => Items[index];

    public bool Equals(TextList other) => Items.SequenceEqual(other.Items);

    public override bool Equals(object? obj) => obj is TextList other && Equals(other);

    public override int GetHashCode() => Items.Aggregate(0, static (hash, item) => HashCode.Combine(hash, item));

    public override string ToString() => string.Join(' ', Items);

    public IEnumerator<string> GetEnumerator() => Items.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public static bool operator ==(TextList left, TextList right) => left.Equals(right);

    public static bool operator !=(TextList left, TextList right) => !left.Equals(right);
}

namespace Sallyport.Fuzz;

/// <summary>Takes any octets; throws when something that must always hold does not.</summary>
public delegate void FuzzMethod(ReadOnlySpan<byte> octets);

/// <param name="Name">Also the name of its folder below fuzz/corpus.</param>
public sealed record FuzzTarget(string Name, FuzzMethod Fuzz);

/// <summary>Something that must always hold does not.</summary>
public sealed class BrokenInvariantException(string message) : Exception(message)
{
    public static void Unless(bool holds, string what)
    {
        if (!holds)
        {
            throw new BrokenInvariantException(what);
        }
    }
}

namespace Sallyport.Tests.Tidy.Sample;

/// <summary>Uses its parent without a <c>using</c>, which uses it: what the graph must see.</summary>
internal sealed class Below
{
    public static object Above() => NamespaceTests.UsesBelow();
}

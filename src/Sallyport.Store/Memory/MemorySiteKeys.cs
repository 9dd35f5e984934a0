using System.Collections.Concurrent;

namespace Sallyport.Store.Memory;

internal sealed class MemorySiteKeys : ISiteKeys
{
    private readonly ConcurrentDictionary<string, byte[]> _values = new(StringComparer.Ordinal);

    public ValueTask<byte[]> GetOrAddAsync(string name, Func<byte[]> make, CancellationToken cancel) =>
        ValueTask.FromResult(_values.GetOrAdd(name, static (_, make) => make(), make));
}

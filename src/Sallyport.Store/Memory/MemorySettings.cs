using System.Collections.Concurrent;

namespace Sallyport.Store.Memory;

internal sealed class MemorySettings : ISettings, ISiteKeys
{
    private readonly ConcurrentDictionary<string, byte[]> _values = new(StringComparer.Ordinal);

    public ValueTask<byte[]?> GetAsync(string name, CancellationToken cancel) => ValueTask.FromResult(_values.GetValueOrDefault(name));

    public ValueTask SetAsync(string name, ReadOnlyMemory<byte> value, CancellationToken cancel)
    {
        _values[name] = value.ToArray();
        return ValueTask.CompletedTask;
    }

    public ValueTask<byte[]> GetOrAddAsync(string name, Func<byte[]> make, CancellationToken cancel) =>
        ValueTask.FromResult(_values.GetOrAdd(name, static (_, make) => make(), make));
}

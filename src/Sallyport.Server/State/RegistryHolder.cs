using Sallyport.Store;

namespace Sallyport.Server.State;

/// <summary>One of several kinds that one owner holds.</summary>
internal sealed class RegistryHolder(RegistryKind kind, Action<RegistryEntry> apply, Func<IReadOnlyCollection<string>> keys) : IRegistryHolder
{
    public RegistryKind Kind => kind;

    public IReadOnlyCollection<string> Keys => keys();

    public void Apply(RegistryEntry entry) => apply(entry);
}

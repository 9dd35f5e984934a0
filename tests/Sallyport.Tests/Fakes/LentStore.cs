using Sallyport.Store;

namespace Sallyport.Tests.Fakes;

/// <summary>A store whose owner is the test: it outlives the server that uses it.</summary>
/// <param name="spool">In place of the store's own.</param>
internal sealed class LentStore(IStore store, ISpool? spool = null) : IStore
{
    public ISpool Spool => spool ?? store.Spool;

    public IAccounts Accounts => store.Accounts;

    public ISiteStore Site(string name) => store.Site(name);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

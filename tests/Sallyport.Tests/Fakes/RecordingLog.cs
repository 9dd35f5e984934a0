using System.Collections.Immutable;
using Sallyport.Server.Telemetry;

namespace Sallyport.Tests.Fakes;

/// <summary>Keeps what the server tells its administrator, and lets a test await it.</summary>
internal sealed class RecordingLog : IMailLog
{
    private readonly Signal _signal = new();
    private ImmutableArray<MailEvent> _events = [];

    public ImmutableArray<MailEvent> Events => _events;

    public ImmutableArray<MailEvent.RecipientSettled> Settled => [.. Events.OfType<MailEvent.RecipientSettled>()];

    public void Write(MailEvent mailEvent)
    {
        ImmutableInterlocked.Update(ref _events, (events, added) => events.Add(added), mailEvent);
        _signal.Changed();
    }

    public async Task<T> FindAsync<T>(Func<T, bool>? which = null)
        where T : MailEvent
    {
        await UntilAsync(events => events.OfType<T>().Any(which ?? (_ => true)));
        return Events.OfType<T>().First(which ?? (_ => true));
    }

    /// <summary>The first so many outcomes, in their order.</summary>
    public async Task<ImmutableArray<MailEvent.RecipientSettled>> SettledAsync(int count)
    {
        await UntilAsync(events => events.OfType<MailEvent.RecipientSettled>().Count() >= count);
        return Settled[..count];
    }

    public Task UntilAsync(Func<ImmutableArray<MailEvent>, bool> condition) =>
        _signal.UntilAsync(() => condition(_events), () => string.Join("\n", _events));
}

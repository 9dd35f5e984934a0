using Sallyport.Mail.Smtp;
using Sallyport.Store;
using Sallyport.Tests.Store;

namespace Sallyport.Tests.Fakes;

/// <summary>Queue ids a test knows beforehand: those of <see cref="StoreSamples.Id"/>, counted from a number.</summary>
internal sealed class NumberedIds(int last) : QueueIds(TimeProvider.System)
{
    private int _last = last;

    public override QueueId Next() => StoreSamples.Id(Interlocked.Increment(ref _last));
}

using System.Collections.Immutable;

namespace Sallyport.Server.Identity.Directories.Servers;

/// <summary>
/// The servers of a directory in order of preference. One that failed goes to the end for a while, and is not left out: the last one
/// is always worth a try.
/// </summary>
internal sealed class ServerOrder<T>(ImmutableArray<T> servers, TimeProvider time)
    where T : notnull
{
    private static readonly TimeSpan DownFor = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly DateTimeOffset[] _downUntil = new DateTimeOffset[servers.Length];

    public ImmutableArray<T> Now()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            return
            [
                .. servers.Where((_, i) => _downUntil[i] <= now),
                .. servers.Where((_, i) => _downUntil[i] > now),
            ];
        }
    }

    public void Failed(T server)
    {
        lock (_gate)
        {
            _downUntil[servers.IndexOf(server)] = time.GetUtcNow() + DownFor;
        }
    }

    public void Succeeded(T server)
    {
        lock (_gate)
        {
            _downUntil[servers.IndexOf(server)] = default;
        }
    }
}

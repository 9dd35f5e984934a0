using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Passwords;

namespace Sallyport.Server.Identity.Offline;

/// <summary>
/// Passwords that directories over a wire have just found right, so that a client that logs in for each message asks once. Known by a
/// keyed digest that dies with the process; failures are never kept.
/// </summary>
public sealed class SuccessCache(SecretFingerprint fingerprint, TimeProvider time)
{
    public const int EntriesMax = 20_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Success> _successes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _ofLogin = new(StringComparer.Ordinal);
    private readonly Queue<(string Name, long At)> _order = new();

    public int Count => _successes.Count;

    /// <summary>What the directory said; null when it is to be asked.</summary>
    /// <param name="directory">The very one that was asked: one with other options since a reload is another.</param>
    public DirectoryEntry? Find(IDirectory directory, string login, string password, TimeSpan goodFor)
    {
        var name = NameOf(directory, login, password);
        lock (_gate)
        {
            return _successes.TryGetValue(name, out var success) && ReferenceEquals(success.Directory, directory)
                && time.GetElapsedTime(success.At) < goodFor ? success.Entry : null;
        }
    }

    public void Put(IDirectory directory, string login, string password, DirectoryEntry entry)
    {
        var name = NameOf(directory, login, password);
        var now = time.GetTimestamp();
        lock (_gate)
        {
            while (_order.Count >= EntriesMax)
            {
                var (oldest, at) = _order.Dequeue();
                if (_successes.TryGetValue(oldest, out var success) && success.At == at)
                {
                    Remove(oldest, success);
                }
            }

            _successes[name] = new Success(directory, login, entry, now);
            _order.Enqueue((name, now));
            if (!_ofLogin.TryGetValue(login, out var names))
            {
                _ofLogin[login] = names = new HashSet<string>(StringComparer.Ordinal);
            }

            names.Add(name);
        }
    }

    /// <summary>All of the login: a password of it was refused, or an administrator has done something about it.</summary>
    public void Forget(string login)
    {
        lock (_gate)
        {
            foreach (var name in _ofLogin.GetValueOrDefault(login)?.ToList() ?? [])
            {
                Remove(name, _successes[name]);
            }
        }
    }

    private void Remove(string name, Success success)
    {
        _successes.Remove(name);
        if (_ofLogin.TryGetValue(success.Login, out var names) && names.Remove(name) && names.Count == 0)
        {
            _ofLogin.Remove(success.Login);
        }
    }

    private string NameOf(IDirectory directory, string login, string password) =>
        fingerprint.Of(FingerprintPurpose.Success, directory.Name, login, password);

    private sealed record Success(IDirectory Directory, string Login, DirectoryEntry Entry, long At);
}

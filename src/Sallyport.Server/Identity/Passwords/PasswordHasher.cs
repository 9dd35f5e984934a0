using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Identity.Passwords;

public enum PasswordCheck
{
    Right,
    Wrong,

    /// <summary>Too many hashes are waiting: 454, the client comes again.</summary>
    TooBusy,
}

/// <summary>A stored password, whatever its form.</summary>
/// <param name="Name">Differs from that of every other stored password; changes when it is set anew.</param>
/// <param name="Matches">The slow part.</param>
public sealed record PasswordProof(ReadOnlyMemory<byte> Name, Func<string, bool> Matches);

/// <summary>
/// The slow part of a login, kept from being a weapon: a bounded number of hashes at once, a bounded queue in which networks take turns,
/// one hash for the same guess made many times at the same moment, and a keyed cache of recent successes that dies with the process.
/// </summary>
/// <param name="start">HashesAtOnce counts from here for good; the rest is <see cref="Limits"/>.</param>
public sealed class PasswordHasher(LimitOptions start, SecretFingerprint fingerprint, TimeProvider time) : IDisposable
{
    /// <summary>PBKDF2-HMAC-SHA256 as OWASP asks for (2023).</summary>
    public const int Iterations = 600_000;

    private const int SaltBytes = 16;
    private const int CacheEntriesMax = 20_000;
    /// <summary>One processor is left to mail, where there are two.</summary>
    private static readonly int ThreadsMax = Math.Max(1, Environment.ProcessorCount - 1);

    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(20);

    private readonly HashQueue _queue = new(
        Math.Clamp(start.HashesAtOnce, 1, ThreadsMax), start.HashesWaiting, start.HashesWaitingPerNetwork, WaitMax, time);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _recent = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Task<PasswordCheck>> _running = new(StringComparer.Ordinal);

    /// <summary>Replaced on reload.</summary>
    public LimitOptions Limits
    {
        get;
        set
        {
            field = value;
            (_queue.WaitingMax, _queue.WaitingPerNetworkMax) = (value.HashesWaiting, value.HashesWaitingPerNetwork);
        }
    } = start;

    /// <summary>A new verifier, for storing.</summary>
    public static ScramVerifier CreateVerifier(string password) => CreateVerifier(password, RandomNumberGenerator.GetBytes(SaltBytes), Iterations);

    /// <summary>A verifier that goes with others of the same salt in one SCRAM exchange.</summary>
    public static ScramVerifier CreateVerifier(string password, ReadOnlyMemory<byte> salt, int iterations) =>
        ScramSha256.Verifier(ScramSha256.SaltedPassword(password, salt.Span, iterations), salt, iterations);

    /// <summary>The same on the threads for it, in turn with those who wait to log in; null when too many wait.</summary>
    public async ValueTask<ScramVerifier?> MakeVerifierAsync(string password)
    {
        ScramVerifier? made = null;
        var done = await _queue.RunAsync(IPAddress.None, () =>
        {
            made = CreateVerifier(password);
            return true;
        });
        return done is true ? made : null;
    }

    /// <summary>Is this the login's password? <paramref name="known"/> false spends the same work and is always wrong.</summary>
    /// <param name="network">Where the login comes from; null for our own commands.</param>
    public ValueTask<PasswordCheck> CheckAsync(
        ScramVerifier verifier, bool known, string login, string password, IPAddress? network = null) => CheckAsync(
        new PasswordProof(verifier.StoredKey, guess =>
            ScramSha256.Matches(verifier, ScramSha256.SaltedPassword(guess, verifier.Salt.Span, verifier.Iterations))),
        known, login, password, network);

    /// <summary>The same for a password stored in any form.</summary>
    public async ValueTask<PasswordCheck> CheckAsync(
        PasswordProof proof, bool known, string login, string password, IPAddress? network = null)
    {
        var guess = NameOf(proof, login, password);
        if (known && _recent.TryGetValue(guess, out var until))
        {
            if (time.GetUtcNow() < until)
            {
                return PasswordCheck.Right;
            }

            _recent.TryRemove(guess, out _);
        }

        var mine = new TaskCompletionSource<PasswordCheck>(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = _running.GetOrAdd(guess, mine.Task);
        if (running != mine.Task)
        {
            return await running;
        }

        var result = PasswordCheck.TooBusy;
        try
        {
            result = await HashAsync(proof, known, password, network ?? IPAddress.None);
            if (result == PasswordCheck.Right)
            {
                Remember(guess);
            }
        }
        finally
        {
            _running.TryRemove(guess, out _);
            mine.SetResult(result);
        }

        return result;
    }

    public void Dispose() => _queue.Dispose();

    private async Task<PasswordCheck> HashAsync(PasswordProof proof, bool known, string password, IPAddress network) =>
        await _queue.RunAsync(network, () => proof.Matches(password)) switch
        {
            null => PasswordCheck.TooBusy,
            true when known => PasswordCheck.Right,
            _ => PasswordCheck.Wrong,
        };

    private void Remember(string guess)
    {
        if (_recent.Count >= CacheEntriesMax)
        {
            var now = time.GetUtcNow();
            foreach (var (old, until) in _recent)
            {
                if (until < now || _recent.Count >= CacheEntriesMax)
                {
                    _recent.TryRemove(old, out _);
                }
            }
        }

        _recent[guess] = time.GetUtcNow() + Limits.LoginCache;
    }

    /// <summary>A name for this guess against this proof, from which nobody without the key learns the password.</summary>
    private string NameOf(PasswordProof proof, string login, string password) =>
        fingerprint.Of(FingerprintPurpose.Hash, proof.Name.Span, login, password);
}

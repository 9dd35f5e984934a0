using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>A server could not be asked, or would not answer: no password was judged.</summary>
/// <param name="isServer">True when another server may do better; false when what we ask is at fault.</param>
internal sealed class LdapServerException(string why, bool isServer = true) : Exception(why)
{
    public bool IsServer => isServer;
}

/// <summary>How long an answer may still take.</summary>
internal readonly struct LdapDeadline(TimeProvider time, TimeSpan within)
{
    private readonly long _begun = time.GetTimestamp();

    public TimeProvider Time => time;

    /// <summary>Never negative.</summary>
    public TimeSpan Left => TimeSpan.FromTicks(Math.Max(0, (within - time.GetElapsedTime(_begun)).Ticks));

    /// <summary>An earlier one: a share of what is left.</summary>
    public LdapDeadline Share(double share) => new(time, Left * share);
}

/// <summary>One question to the directory: its deadline, and who listens how it is answered.</summary>
internal sealed class LdapQuestion(LdapDeadline deadline, IList<DirectoryStep>? steps)
{
    private readonly Lock _gate = new();
    private bool _isClosed;

    public LdapDeadline Deadline => deadline;

    public void Tell(string what, string outcome, string detail)
    {
        lock (_gate)
        {
            if (!_isClosed)
            {
                steps?.Add(new(what, outcome, detail));
            }
        }
    }

    /// <summary>Nobody listens any more: an answer that comes too late is not told.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
        }
    }
}

using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;

namespace Sallyport.Server.Relay;

/// <summary>The host cannot be used now. Nothing was said about any recipient.</summary>
/// <param name="said">Its own answer, if it gave one.</param>
public sealed class HostException(HostFailure why, Reply? said = null) : Exception(why.Reply.ToString())
{
    public HostException(RelayFailure failure, Reply reply, Reply? said = null)
        : this(new HostFailure(failure, reply), said)
    {
    }

    /// <summary>The reply is in our words.</summary>
    public HostFailure Why => why;

    /// <summary>It is there and says "not now", as hosts do that have enough connections of ours.</summary>
    public bool IsBusy => said is { IsTransient: true };
}

using System.Buffers;
using Sallyport.Mail.Smtp;

namespace Sallyport.Server.Submission;

/// <summary>Replies on their way to the client. They leave together when nothing is left to read (RFC 2920), or when they are many.</summary>
internal sealed class ReplyWriter(ISubmissionWire wire, Deadline deadline, TimeSpan writeMax)
{
    /// <summary>Octets a client may leave untaken while it sends on; then they are flushed, and its reading sets the pace.</summary>
    private const int WaitingMax = 16 * 1024;

    private int _waiting;

    public bool IsFull => _waiting > WaitingMax;

    public void Say(Reply reply)
    {
        var octets = reply.Octets;
        wire.Output.Write(octets);
        _waiting += octets.Length;
    }

    public async ValueTask FlushAsync()
    {
        _waiting = 0;
        var flush = wire.Output.FlushAsync();
        if (!flush.IsCompletedSuccessfully)
        {
            deadline.Arm(writeMax);
            var result = await flush;
            deadline.Disarm();
            if (result.IsCanceled)
            {
                wire.Abort();
                throw new WireLostException("the client does not take our replies");
            }
        }
    }

    /// <summary>A last word, then the end.</summary>
    public async ValueTask SayLastAsync(Reply reply, string why)
    {
        Say(reply);
        await FlushAsync();
        throw new WireLostException(why);
    }
}

using System.Buffers;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Submission;

/// <summary>Content from the client: too long a silence, or too slow a trickle, ends the session.</summary>
internal sealed class ContentInput(ISubmissionWire wire, ReplyWriter replies, Deadline deadline, TimeoutOptions timeouts, TimeProvider time)
{
    private TimeSpan _waited;
    private long _bytes;

    /// <summary>A message begins: its pace is its own.</summary>
    public void Reset() => (_waited, _bytes) = (TimeSpan.Zero, 0);

    /// <summary>What has arrived, at least one octet.</summary>
    public async ValueTask<ReadOnlySequence<byte>> ReadAsync()
    {
        var there = wire.Input.TryRead(out var result);
        if (there && !result.Buffer.IsEmpty)
        {
            _bytes += result.Buffer.Length; // it did not have to be waited for
            return result.Buffer;
        }

        deadline.Arm(timeouts.DataBlock);
        var began = time.GetTimestamp();
        while (true)
        {
            result = there ? result : await wire.Input.ReadAsync();
            if (!result.Buffer.IsEmpty && !deadline.HasRunOut)
            {
                deadline.Disarm();
                _waited += time.GetElapsedTime(began);
                _bytes += result.Buffer.Length;
                if (IsTooSlow)
                {
                    await replies.SayLastAsync(Replies.TooSlow, "too slow");
                }

                return result.Buffer;
            }

            there = false; // an end, or a read called off: it has to be given back before the next
            wire.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            if (deadline.HasRunOut)
            {
                await replies.SayLastAsync(Replies.TimedOut, "timed out within the content");
            }

            if (result.IsCompleted)
            {
                throw new WireLostException("the client left within the content");
            }
        }
    }

    public void Advance(SequencePosition consumed) => wire.Input.AdvanceTo(consumed);

    /// <summary>
    /// Octets per second of the time a message's content was waited for, over all its chunks; judged only after the first data block's
    /// time. What the store takes and what lies between two chunks does not count.
    /// </summary>
    private bool IsTooSlow => _waited > timeouts.DataBlock && _bytes < _waited.TotalSeconds * timeouts.DataBytesPerSecondMin;
}

using System.Buffers;
using System.IO.Pipelines;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Submission;

/// <summary>A command line, or a line of a SASL exchange.</summary>
internal readonly record struct Line(LineKind Kind, byte[] Octets);

/// <summary>Lines from the client, each with its deadline, and until the login one for all of them.</summary>
internal sealed class LineReader(
    ISubmissionWire wire, ReplyWriter replies, Deadline deadline, SubmissionSession session, TimeoutOptions timeouts, TimeProvider time)
{
    private readonly LineFramer _framer = new();
    private readonly long _began = time.GetTimestamp();
    private volatile bool _draining;

    /// <summary>The session ends at the next command outside a transaction.</summary>
    public void Drain()
    {
        _draining = true;
        wire.Input.CancelPendingRead();
    }

    /// <summary>The next line. What was said so far is flushed when there is nothing left to read (RFC 2920), or when it is much.</summary>
    public async ValueTask<Line> ReadAsync(int limitBytes)
    {
        var armed = false;
        if (replies.IsFull)
        {
            await replies.FlushAsync();
        }

        while (true)
        {
            if (wire.Input.TryRead(out var result))
            {
                var line = Take(result.Buffer, limitBytes, result.IsCompleted);
                if (line.Kind != LineKind.Incomplete)
                {
                    deadline.Disarm();
                    return line;
                }

                await EndReadAsync(result);
            }

            await replies.FlushAsync();
            if (!armed)
            {
                await ArmAsync();
                armed = true;
            }

            await EndIfDrainingAsync();
            var arrived = await wire.Input.ReadAsync();
            wire.Input.AdvanceTo(arrived.Buffer.Start, arrived.Buffer.Start);
            await EndReadAsync(arrived);
        }
    }

    /// <summary>True when octets lie behind the line just read. What has not arrived yet is awaited by nobody here.</summary>
    public bool MoreHasArrived()
    {
        if (!wire.Input.TryRead(out var behind))
        {
            return false;
        }

        wire.Input.AdvanceTo(behind.Buffer.Start);
        return !behind.Buffer.IsEmpty;
    }

    /// <summary>Before the login each command has its time, and all of them have one together.</summary>
    private async ValueTask ArmAsync()
    {
        if (session.Grant is not null)
        {
            deadline.Arm(timeouts.Command);
            return;
        }

        var left = timeouts.Login - time.GetElapsedTime(_began);
        if (left <= TimeSpan.Zero)
        {
            await replies.SayLastAsync(Replies.TimedOut, "no login in time");
        }

        deadline.Arm(left < timeouts.CommandBeforeLogin ? left : timeouts.CommandBeforeLogin);
    }

    private Line Take(ReadOnlySequence<byte> buffer, int limitBytes, bool completed)
    {
        var rest = buffer;
        var kind = _framer.TryRead(ref rest, limitBytes, out var line);
        var octets = kind is LineKind.Line or LineKind.BareLineFeed or LineKind.Foreign ? line.ToArray() : [];
        wire.Input.AdvanceTo(rest.Start, kind == LineKind.Incomplete ? rest.End : rest.Start);
        return kind == LineKind.Incomplete && completed ? throw new WireLostException("the client left within a command") : new Line(kind, octets);
    }

    private async ValueTask EndReadAsync(ReadResult result)
    {
        if (deadline.HasRunOut)
        {
            await replies.SayLastAsync(Replies.TimedOut, "timed out");
        }

        if (result.IsCanceled)
        {
            await EndIfDrainingAsync();
        }

        if (result.IsCompleted && result.Buffer.IsEmpty)
        {
            throw new WireLostException("the client left without QUIT");
        }
    }

    private async ValueTask EndIfDrainingAsync()
    {
        if (_draining && session.State <= SessionState.Authenticated)
        {
            await replies.SayLastAsync(Replies.ShuttingDown, "the server is stopping");
        }
    }
}

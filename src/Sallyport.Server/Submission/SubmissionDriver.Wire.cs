using System.Buffers;
using System.IO.Pipelines;
using Sallyport.Mail.Smtp;

namespace Sallyport.Server.Submission;

/// <content>Reading lines and writing replies, each with its deadline.</content>
public sealed partial class SubmissionDriver
{
    /// <summary>Replies a client may leave untaken while it sends on; then they are flushed, and its reading sets the pace.</summary>
    private const int RepliesWaitingMax = 16 * 1024;

    private int _repliesWaiting;

    private readonly record struct Line(LineKind Kind, byte[] Octets);

    /// <summary>The next line. What was said so far is flushed when there is nothing left to read (RFC 2920), or when it is much.</summary>
    private async ValueTask<Line> ReadLineAsync(int limitBytes)
    {
        var armed = false;
        if (_repliesWaiting > RepliesWaitingMax)
        {
            await FlushAsync();
        }

        while (true)
        {
            if (_wire.Input.TryRead(out var result))
            {
                var line = TakeLine(result.Buffer, limitBytes, result.IsCompleted);
                if (line.Kind != LineKind.Incomplete)
                {
                    _deadline.Disarm();
                    return line;
                }

                await EndReadAsync(result);
            }

            await FlushAsync();
            if (!armed)
            {
                await ArmForCommandAsync();
                armed = true;
            }

            await EndIfDrainingAsync();
            var arrived = await _wire.Input.ReadAsync();
            _wire.Input.AdvanceTo(arrived.Buffer.Start, arrived.Buffer.Start);
            await EndReadAsync(arrived);
        }
    }

    /// <summary>Before the login each command has its time, and all of them have one together.</summary>
    private async ValueTask ArmForCommandAsync()
    {
        if (_session.Grant is not null)
        {
            _deadline.Arm(_timeouts.Command);
            return;
        }

        var left = _timeouts.Login - _services.Time.GetElapsedTime(_began);
        if (left <= TimeSpan.Zero)
        {
            await SayLastAsync(Replies.TimedOut, "no login in time");
        }

        _deadline.Arm(left < _timeouts.CommandBeforeLogin ? left : _timeouts.CommandBeforeLogin);
    }

    private Line TakeLine(ReadOnlySequence<byte> buffer, int limitBytes, bool completed)
    {
        var rest = buffer;
        var kind = _framer.TryRead(ref rest, limitBytes, out var line);
        var octets = kind is LineKind.Line or LineKind.BareLineFeed or LineKind.Foreign ? line.ToArray() : [];
        _wire.Input.AdvanceTo(rest.Start, kind == LineKind.Incomplete ? rest.End : rest.Start);
        return kind == LineKind.Incomplete && completed ? throw new WireLostException("the client left within a command") : new Line(kind, octets);
    }

    private async ValueTask EndReadAsync(ReadResult result)
    {
        if (_deadline.HasRunOut)
        {
            await SayLastAsync(Replies.TimedOut, "timed out");
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
        if (_draining && !InTransaction)
        {
            await SayLastAsync(Replies.ShuttingDown, "the server is stopping");
        }
    }

    /// <summary>True when octets lie behind the command just read. What has not arrived yet is awaited by nobody here.</summary>
    private bool MoreHasArrived()
    {
        if (!_wire.Input.TryRead(out var behind))
        {
            return false;
        }

        _wire.Input.AdvanceTo(behind.Buffer.Start);
        return !behind.Buffer.IsEmpty;
    }

    /// <summary>A last word, then the end.</summary>
    private async ValueTask SayLastAsync(Reply reply, string why)
    {
        Say(reply);
        await FlushAsync();
        throw new WireLostException(why);
    }

    private async Task EndLineTroubleAsync(LineKind kind)
    {
        var turn = kind switch
        {
            LineKind.TooLong => _session.LineTooLong(),
            LineKind.BareLineFeed => _session.BareNewlineCommand(),
            _ => new SessionAction.HangUp(Replies.LineTooLong),
        };
        await FollowAsync(turn, default);
    }

    private void Say(Reply reply)
    {
        var octets = reply.ToBytes();
        _wire.Output.Write(octets);
        _repliesWaiting += octets.Length;
    }

    private async ValueTask FlushAsync()
    {
        _repliesWaiting = 0;
        var flush = _wire.Output.FlushAsync();
        if (!flush.IsCompletedSuccessfully)
        {
            _deadline.Arm(_timeouts.Write);
            var result = await flush;
            _deadline.Disarm();
            if (result.IsCanceled)
            {
                _wire.Abort();
                throw new WireLostException("the client does not take our replies");
            }
        }
    }
}

/// <summary>The conversation is over without a QUIT; the message says why, for the log. It never leaves the driver.</summary>
internal sealed class WireLostException(string why) : Exception(why);

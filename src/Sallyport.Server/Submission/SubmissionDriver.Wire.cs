using System.Buffers;
using System.IO.Pipelines;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Submission;

/// <content>Reading lines and writing replies, each with its deadline.</content>
public sealed partial class SubmissionDriver
{
    private readonly record struct Line(LineKind Kind, byte[] Octets);

    /// <summary>The next line. What was said so far is flushed only when there is nothing left to read (RFC 2920).</summary>
    private async ValueTask<Line> ReadLineAsync(int limitBytes)
    {
        var armed = false;
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
                _deadline.Arm(_session.Grant is null ? _timeouts.CommandBeforeLogin : _timeouts.Command);
                armed = true;
            }

            await EndIfDrainingAsync();
            var arrived = await _wire.Input.ReadAsync();
            _wire.Input.AdvanceTo(arrived.Buffer.Start, arrived.Buffer.Start);
            await EndReadAsync(arrived);
        }
    }

    private Line TakeLine(ReadOnlySequence<byte> buffer, int limitBytes, bool completed)
    {
        var rest = buffer;
        var kind = _framer.TryRead(ref rest, limitBytes, out var line);
        var octets = kind == LineKind.Line ? line.ToArray() : [];
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
            _ => new Turn.HangUp(Replies.LineTooLong),
        };
        await FollowAsync(turn, default);
    }

    private void Say(Reply reply)
    {
        if (reply == Replies.AuthFailed || reply == Replies.TooManyAuthFailures)
        {
            LogFailedLogin();
        }
        else if (reply == Replies.AuthCancelled)
        {
            _failureLogged = false;
        }

        _wire.Output.Write(reply.ToBytes());
    }

    /// <summary>What fails inside the session, without a question to a directory, is logged where its reply leaves.</summary>
    private void LogFailedLogin()
    {
        if (!_failureLogged)
        {
            var why = SaslServer.ByToken.Contains(_session.Mechanism)
                ? "what was sent can be no token"
                : "wrong password, wrong binding or unknown login";
            _services.Log.Write(new MailEvent.LoginFailed(SessionId, _client, _session.LoginTyped, _session.Mechanism, why));
        }

        _failureLogged = false;
    }

    private async ValueTask FlushAsync()
    {
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

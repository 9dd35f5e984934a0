using System.Text;
using System.Threading.Channels;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Telemetry;

/// <summary>
/// Writes lines from a bounded queue on a task of its own. When the disk or the reader of our output is slower than the mail, or
/// cannot be written at all, lines are dropped, counted, and the count is a line: a log in trouble never stops mail.
/// </summary>
public sealed class LineLog : IMailLog, IAsyncDisposable
{
    public const int WaitingMax = 16_384;
    private static readonly TimeSpan ReopenAfter = TimeSpan.FromSeconds(5);

    private readonly Channel<(DateTimeOffset At, MailEvent Event)> _waiting = Channel.CreateBounded<(DateTimeOffset, MailEvent)>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly TimeProvider _time;
    private readonly Action<string> _tell;
    private readonly Task _writing;
    private volatile ILineFormatter _formatter;
    private volatile Func<Stream> _open;
    private Stream? _next;
    private long _overflown;

    // The writing task's own.
    private Stream? _target;
    private string? _trouble;
    private long _troubleAt;
    private long _late;
    private long _lost;

    /// <param name="open">Opens where the lines go; called again after a failed write.</param>
    /// <param name="tell">Told, once each, when lines are lost because nothing can be written, and when it is over.</param>
    public LineLog(ILineFormatter formatter, Func<Stream> open, TimeProvider time, Action<string>? tell = null)
    {
        (_formatter, _open, _time, _tell) = (formatter, open, time, tell ?? (static _ => { }));
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>A file to append to, or standard output.</summary>
    public static Func<Stream> Target(string? file) => file is null
        ? Console.OpenStandardOutput
        : () => new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);

    public void Write(MailEvent mailEvent)
    {
        if (!_waiting.Writer.TryWrite((_time.GetLocalNow(), mailEvent)))
        {
            Interlocked.Increment(ref _overflown);
        }
    }

    /// <summary>
    /// From the next line on: another style, another file, or the same file made anew by whoever rotates it. Where it cannot be
    /// opened, what <paramref name="open"/> throws comes through, and the log goes on as it was.
    /// </summary>
    public void Reopen(ILineFormatter formatter, Func<Stream> open)
    {
        var next = open();
        Use(formatter, open, next);
    }

    /// <summary>The same with a target that is open already: this cannot fail.</summary>
    /// <param name="next">Written to from the next line on, and disposed with the log.</param>
    public void Use(ILineFormatter formatter, Func<Stream> open, Stream next)
    {
        (_formatter, _open) = (formatter, open);
        Interlocked.Exchange(ref _next, next)?.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _writing;
    }

    private async Task WriteAsync()
    {
        var lines = new StringBuilder();
        while (await _waiting.Reader.WaitToReadAsync())
        {
            await TakeNextTargetAsync();
            lines.Clear();
            var count = Take(lines);
            if (await TryWriteAsync(lines.ToString()))
            {
                (_late, _lost) = (0, 0);
            }
            else
            {
                _lost += count;
            }
        }

        await TakeNextTargetAsync();
        await CloseAsync();
    }

    private async Task TakeNextTargetAsync()
    {
        if (Interlocked.Exchange(ref _next, null) is { } next)
        {
            await CloseAsync();
            _target = next;
        }
    }

    private async Task<bool> TryWriteAsync(string lines)
    {
        if (_target is null && _trouble is not null && _time.GetElapsedTime(_troubleAt) < ReopenAfter)
        {
            return false;
        }

        try
        {
            _target ??= _open();
            await _target.WriteAsync(Encoding.UTF8.GetBytes(lines));
            await _target.FlushAsync();
        }
        catch (Exception exception) when (FileTrouble.IsOf(exception))
        {
            await CloseAsync();
            var why = FileTrouble.Say(exception, (_target as FileStream)?.Name ?? "");
            if (_trouble is null)
            {
                _tell($"the log cannot be written: {why}. Mail goes on; lines are lost until it can, "
                    + $"which is tried every {ReopenAfter.TotalSeconds} s");
            }

            (_trouble, _troubleAt, _target) = (why, _time.GetTimestamp(), null);
            return false;
        }

        if (_trouble is not null)
        {
            _tell("the log is written again");
            _trouble = null;
        }

        return true;
    }

    private async Task CloseAsync()
    {
        try
        {
            if (_target is not null)
            {
                await _target.DisposeAsync();
            }
        }
        catch (Exception exception) when (FileTrouble.IsOf(exception))
        {
            // What it still had was counted as lost when the write failed.
        }
    }

    /// <summary>All that waits, up to a bound, as lines.</summary>
    private int Take(StringBuilder lines)
    {
        const int AtOnce = 512;
        var count = 0;
        _late += Interlocked.Exchange(ref _overflown, 0);
        if (_late > 0)
        {
            var lost = new MailEvent.Problem($"{_late} lines of this log were lost: they came faster than they could be written");
            Add(lines, lost, _time.GetLocalNow());
        }

        if (_lost > 0)
        {
            Add(lines, new MailEvent.Problem($"{_lost} lines of this log were lost: it could not be written: {_trouble}"), _time.GetLocalNow());
        }

        while (count < AtOnce && _waiting.Reader.TryRead(out var entry))
        {
            Add(lines, entry.Event, entry.At);
            count++;
        }

        return count;
    }

    private void Add(StringBuilder lines, MailEvent mailEvent, DateTimeOffset at)
    {
        if (_formatter.Format(mailEvent, at) is { } line)
        {
            lines.Append(line).Append('\n');
        }
    }
}

using System.Text;
using System.Threading.Channels;

namespace Sallyport.Server.Telemetry;

/// <summary>
/// Writes lines from a bounded queue on a task of its own. When the disk or the reader of our output is slower than the mail, lines
/// are dropped, counted, and the count is a line: a full log never stops mail.
/// </summary>
public sealed class LineLog : IMailLog, IAsyncDisposable
{
    public const int WaitingMax = 16_384;
    private static readonly TimeSpan ReopenAfter = TimeSpan.FromSeconds(5);

    private readonly Channel<(DateTimeOffset At, MailEvent Event)> _waiting = Channel.CreateBounded<(DateTimeOffset, MailEvent)>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly TimeProvider _time;
    private readonly Task _writing;
    private volatile ILineFormatter _formatter;
    private volatile Func<Stream> _open;
    private volatile bool _reopen;
    private long _dropped;

    /// <param name="open">Opens where the lines go; called again after <see cref="Reopen"/> and after a failed write.</param>
    public LineLog(ILineFormatter formatter, Func<Stream> open, TimeProvider time)
    {
        (_formatter, _open, _time) = (formatter, open, time);
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
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>From the next line on: another style, another file, or the same file made anew by whoever rotates it.</summary>
    public void Reopen(ILineFormatter formatter, Func<Stream> open)
    {
        (_formatter, _open) = (formatter, open);
        _reopen = true;
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _writing;
    }

    private async Task WriteAsync()
    {
        Stream? target = null;
        long failedAt = 0;
        var lines = new StringBuilder();
        while (await _waiting.Reader.WaitToReadAsync())
        {
            lines.Clear();
            var count = Take(lines);
            if (target is null && failedAt != 0 && _time.GetElapsedTime(failedAt) < ReopenAfter)
            {
                Interlocked.Add(ref _dropped, count);
                continue;
            }

            try
            {
                if (_reopen && target is not null)
                {
                    await target.DisposeAsync();
                    target = null;
                }

                _reopen = false;
                target ??= _open();
                await target.WriteAsync(Encoding.UTF8.GetBytes(lines.ToString()));
                await target.FlushAsync();
                failedAt = 0;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                Interlocked.Add(ref _dropped, count);
                failedAt = _time.GetTimestamp();
                target = null;
            }
        }

        if (target is not null)
        {
            await target.DisposeAsync();
        }
    }

    /// <summary>All that waits, up to a bound, as lines.</summary>
    private int Take(StringBuilder lines)
    {
        const int AtOnce = 512;
        var count = 0;
        var dropped = Interlocked.Exchange(ref _dropped, 0);
        if (dropped > 0)
        {
            Add(lines, new MailEvent.Problem($"{dropped} lines of this log were lost: it could not be written fast enough"), _time.GetLocalNow());
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

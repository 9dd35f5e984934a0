using System.Text;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Telemetry;

public sealed class LineLogTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _told = [];
    private readonly Signal _changed = new();

    [Fact]
    public async Task Lines_lost_while_nothing_could_be_written_are_counted_and_told()
    {
        using var file = new Target(_changed) { Full = true };
        await using (var log = new LineLog(new HumanFormatter(), () => file, _time, Tell))
        {
            log.Write(new MailEvent.Notice("first"));
            await file.Tried.WaitAsync(TestContext.Current.CancellationToken);
            log.Write(new MailEvent.Notice("second"));
            await _changed.UntilAsync(() => file.Attempts == 1 && _told.Count == 1, () => file.Text);
            file.Full = false;
            _time.Advance(TimeSpan.FromSeconds(6));
            log.Write(new MailEvent.Notice("third"));
            await _changed.UntilAsync(() => file.Text.Contains("third", StringComparison.Ordinal), () => file.Text);
        }

        Assert.Matches("PROBLEM: [12] lines of this log were lost: it could not be written: No space left on device", file.Text);
        Assert.Equal(["the log cannot be written: No space left on device. Mail goes on; lines are lost until it can, which is tried every 5 s",
            "the log is written again"], _told);
    }

    [Fact]
    public async Task A_file_that_cannot_be_opened_leaves_the_log_as_it_was()
    {
        using var file = new Target(_changed);
        await using (var log = new LineLog(new HumanFormatter(), () => file, _time, Tell))
        {
            Assert.Throws<DirectoryNotFoundException>(() => log.Reopen(new JsonFormatter(), LineLog.Target("/no/such/directory/x.log")));
            log.Write(new MailEvent.Notice("goes on"));
        }

        Assert.EndsWith("Z goes on\n", file.Text);
    }

    [Fact]
    public async Task From_the_next_line_on_the_log_is_in_the_other_file()
    {
        using var one = new Target(_changed);
        using var other = new Target(_changed);
        await using (var log = new LineLog(new HumanFormatter(), () => one, _time, Tell))
        {
            log.Write(new MailEvent.Notice("before"));
            await _changed.UntilAsync(() => one.Text.Length > 0, () => one.Text);
            log.Reopen(new JsonFormatter(), () => other);
            log.Write(new MailEvent.Notice("after"));
        }

        Assert.EndsWith("before\n", one.Text);
        Assert.Contains("\"what\":\"after\"", other.Text);
    }

    private void Tell(string text)
    {
        _told.Add(text);
        _changed.Changed();
    }

    /// <summary>A file on a disk that may be full.</summary>
    private sealed class Target(Signal changed) : MemoryStream
    {
        private readonly TaskCompletionSource _tried = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly StringBuilder _text = new();

        public volatile bool Full;

        public int Attempts { get; private set; }

        public Task Tried => _tried.Task;

        public string Text
        {
            get
            {
                lock (_text)
                {
                    return _text.ToString();
                }
            }
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Attempts++;
            _tried.TrySetResult();
            if (Full)
            {
                throw new IOException("No space left on device : '/var/log/x'");
            }

            lock (_text)
            {
                _text.Append(Encoding.UTF8.GetString(buffer.Span));
            }

            changed.Changed();

            return default;
        }
    }
}

using CsCheck;
using Sallyport.Mail.Policy;
using Sallyport.Server.Sending;
using Xunit;
using static Sallyport.Tests.Server.Sending.LedgerBench;

namespace Sallyport.Tests.Server.Sending;

/// <summary>Whatever sessions do in whatever order: in no window is more accepted than allowed, and nothing is refused without reason.</summary>
public sealed class SendingPropertyTests
{
    private static readonly (SendingWindow Window, TimeSpan Length, TimeSpan Bucket)[] Windows =
    [
        (SendingWindow.Minute, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1)),
        (SendingWindow.Hour, TimeSpan.FromHours(1), TimeSpan.FromMinutes(1)),
        (SendingWindow.Day, TimeSpan.FromDays(1), TimeSpan.FromMinutes(15)),
    ];

    private static readonly Quota[] Quotas =
    [
        Each((SendingMeasure.Messages, SendingWindow.Minute, 3), (SendingMeasure.Messages, SendingWindow.Hour, 7),
            (SendingMeasure.Recipients, SendingWindow.Hour, 20), (SendingMeasure.FirstTimeRecipients, SendingWindow.Day, 25),
            (SendingMeasure.Bytes, SendingWindow.Minute, 5000), (SendingMeasure.Bytes, SendingWindow.Day, 40_000)),
        Quota("*", true, (SendingMeasure.Messages, SendingWindow.Minute, 5), (SendingMeasure.Recipients, SendingWindow.Day, 60)),
    ];

    [Fact]
    public async Task No_window_holds_more_than_is_allowed_and_nothing_is_refused_without_reason()
    {
        var (accepted, refused) = (0, 0);
        await Gen.Select(Gen.Int[0, 99], Gen.Int[0, 4], Gen.Int[0, 3000]).Array[1, 300].SampleAsync(async steps =>
        {
            await using var bench = await NewAsync();
            var walk = new Walk(bench);
            await walk.TakeAsync(steps);
            Interlocked.Add(ref accepted, walk.Accepted);
            Interlocked.Add(ref refused, walk.Refused);
        }, iter: 80, threads: 1, seed: "0000000000000");
        Assert.True(accepted > 300 && refused > 300, $"{accepted} accepted, {refused} refused: the walk tries too little");
    }

    private sealed class Walk(LedgerBench bench)
    {
        private readonly SendingTransaction?[] _open = new SendingTransaction?[5];
        private readonly List<(string Login, DateTimeOffset At, SendingAmount Amount)> _committed = [];
        private int _recipient;

        public int Accepted { get; private set; }

        public int Refused { get; private set; }

        /// <summary>Sessions 0 to 2 are jane's, the others bob's.</summary>
        public async Task TakeAsync((int What, int Session, int Size)[] steps)
        {
            await bench.Book.LoadContactsAsync("jane");
            await bench.Book.LoadContactsAsync("bob");
            foreach (var (what, session, size) in steps)
            {
                if (what == 0)
                {
                    await RestartAsync();
                }
                else
                {
                    Step(what, session, size);
                }
            }

            Check();
        }

        private async Task RestartAsync()
        {
            await bench.RestartAsync();
            await bench.Book.LoadContactsAsync("jane");
            await bench.Book.LoadContactsAsync("bob");
            Array.Clear(_open);
        }

        private void Step(int what, int session, int size)
        {
            var message = _open[session];
            var login = session < 3 ? "jane" : "bob";
            switch (what)
            {
                case < 15:
                    bench.Clock.Advance(Step(what, size));
                    break;
                case < 20:
                    message?.Release();
                    _open[session] = null;
                    break;
                case < 50 when message is null:
                    Note(bench.Book.TryBegin(Login(login, Quotas), size, out _open[session]), login, new(1, 0, 0, size, 0));
                    break;
                case < 75 when message is not null:
                    var known = size % 3 == 0;
                    var to = known ? "known@x.test" : $"{_recipient++}@x.test";
                    Note(message.AddRecipient(Mailbox(to)), login, new(0, 1, 1, 0, 0));
                    break;
                case >= 75 when message is not null:
                    Commit(message, session, login, size);
                    break;
            }
        }

        /// <summary>Short ones, and those just within a window, where a bucket that leaves too soon shows.</summary>
        private static TimeSpan Step(int what, int size) => what switch
        {
            < 6 => TimeSpan.FromMilliseconds(size * 7),
            < 10 => TimeSpan.FromSeconds(59.2),
            < 12 => TimeSpan.FromMinutes(59.5),
            < 13 => TimeSpan.FromHours(23.9),
            _ => TimeSpan.FromMinutes(size),
        };

        private void Commit(SendingTransaction message, int session, string login, int size)
        {
            if (message.SetBytes(size) is { } reached)
            {
                Note(reached, login, new(0, 0, 0, size, 0));
                message.Release();
            }
            else
            {
                message.Committed(held: size % 5 == 0);
                _committed.Add((login, bench.Clock.GetUtcNow(), message.Amount));
                Accepted++;
            }

            _open[session] = null;
        }

        /// <summary>A refusal has its reason: in the window, a bucket longer, and under way there is too much for what was asked.</summary>
        private void Note(LimitReached? reached, string login, SendingAmount asked)
        {
            if (reached is null)
            {
                return;
            }

            Refused++;
            var (measure, now) = (reached.Limit.Measure, bench.Clock.GetUtcNow());
            var (_, length, bucket) = Windows.Single(one => one.Window == reached.Limit.Window);
            var isSite = reached.Subject == "site";
            var counted = _committed.Where(one => (isSite || one.Login == login) && one.At > now - length - bucket).Sum(one => one.Amount[measure]);
            var underWay = _open.Where((open, session) => open is not null && (isSite || session < 3 == (login == "jane")))
                .Sum(open => open!.Amount[measure]);
            Assert.True(counted + underWay + asked[measure] > reached.Limit.Allowed,
                $"{reached} without reason: {counted} + {underWay} + {asked[measure]}");
        }

        private void Check()
        {
            foreach (var (subject, quota) in new[] { ("jane", Quotas[0]), ("bob", Quotas[0]), ("", Quotas[1]) })
            {
                foreach (var limit in quota.Limits)
                {
                    var length = Windows.Single(one => one.Window == limit.Window).Length;
                    var own = _committed.Where(one => subject.Length == 0 || one.Login == subject).ToList();
                    Assert.All(own, last => Assert.True(
                        own.Where(one => one.At > last.At - length && one.At <= last.At).Sum(one => one.Amount[limit.Measure]) <= limit.Allowed,
                        $"{subject}: more than {limit}"));
                }
            }
        }
    }
}

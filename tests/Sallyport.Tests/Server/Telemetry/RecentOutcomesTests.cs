using Microsoft.Extensions.Time.Testing;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Xunit;

namespace Sallyport.Tests.Server.Telemetry;

public sealed class RecentOutcomesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Kept _log = new();
    private readonly RecentOutcomes _recent;

    public RecentOutcomesTests() => _recent = new RecentOutcomes(_log, _time);

    [Fact]
    public void The_latest_outcome_of_each_recipient_is_remembered_and_all_go_to_the_log()
    {
        var id = Id(1);
        _recent.Write(Settled(id, "bob@example.test", RecipientState.Due, "451 later"));
        _recent.Write(Settled(id, "eve@example.test", RecipientState.Failed, "550 no"));
        _recent.Write(Settled(id, "bob@example.test", RecipientState.Relayed, "250 ok"));
        Assert.Equal(["bob@example.test Relayed 250 ok", "eve@example.test Failed 550 no"],
            _recent.Of(id).Select(outcome => $"{outcome.Recipient} {outcome.State} {outcome.Reply}"));
        Assert.Equal(3, _log.Events.Count);
    }

    [Fact]
    public void After_a_while_nothing_is_remembered()
    {
        _recent.Write(Settled(Id(1), "bob@example.test", RecipientState.Relayed, "250 ok"));
        _time.Advance(RecentOutcomes.AgeMax + TimeSpan.FromSeconds(1));
        Assert.Empty(_recent.Of(Id(1)));
    }

    [Fact]
    public void No_more_than_the_limit_is_remembered()
    {
        for (uint i = 0; i <= RecentOutcomes.OutcomesMax; i++)
        {
            _recent.Write(Settled(Id(i), "bob@example.test", RecipientState.Relayed, "250 ok"));
        }

        Assert.Empty(_recent.Of(Id(0)));
        Assert.Single(_recent.Of(Id(1)));
        Assert.Single(_recent.Of(Id(RecentOutcomes.OutcomesMax)));
    }

    private static QueueId Id(uint n) => QueueId.Create(DateTimeOffset.UnixEpoch.AddYears(55), n);

    private static MailEvent.RecipientSettled Settled(QueueId id, string recipient, RecipientState state, string reply) => new(
        "S", id, "jane", "<jane@acme.test>", recipient, state, "inner:25", reply, 1, 100, TimeSpan.FromSeconds(1), null, false);

    private sealed class Kept : IMailLog
    {
        public List<MailEvent> Events { get; } = [];

        public void Write(MailEvent mailEvent) => Events.Add(mailEvent);
    }
}

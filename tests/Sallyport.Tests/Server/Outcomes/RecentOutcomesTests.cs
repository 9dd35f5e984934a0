using Microsoft.Extensions.Time.Testing;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Outcomes;
using Sallyport.Store;
using Xunit;

namespace Sallyport.Tests.Server.Outcomes;

public sealed class RecentOutcomesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RecentOutcomes _recent;

    public RecentOutcomesTests() => _recent = new RecentOutcomes(_time);

    [Fact]
    public void The_latest_outcome_of_each_recipient_is_remembered()
    {
        var id = Id(1);
        Take(Settled(id, "bob@example.test", RecipientState.Due, "451 later"));
        Take(Settled(id, "eve@example.test", RecipientState.Failed, "550 no"));
        Take(Settled(id, "bob@example.test", RecipientState.Relayed, "250 ok"));
        Assert.Equal(["bob@example.test Relayed 250 ok", "eve@example.test Failed 550 no"],
            _recent.Of(id).Select(outcome => $"{outcome.Recipient} {outcome.State} {outcome.Reply}"));
    }

    [Fact]
    public void One_that_only_waits_longer_takes_no_room()
    {
        Take(Settled(Id(1), "bob@example.test", RecipientState.Due, "451 later", tried: false));
        Assert.Empty(_recent.Of(Id(1)));
    }

    [Fact]
    public void After_a_while_nothing_is_remembered()
    {
        Take(Settled(Id(1), "bob@example.test", RecipientState.Relayed, "250 ok"));
        _time.Advance(RecentOutcomes.AgeMax + TimeSpan.FromSeconds(1));
        Assert.Empty(_recent.Of(Id(1)));
    }

    [Fact]
    public void No_more_than_the_limit_is_remembered()
    {
        for (uint i = 0; i <= RecentOutcomes.OutcomesMax; i++)
        {
            Take(Settled(Id(i), "bob@example.test", RecipientState.Relayed, "250 ok"));
        }

        Assert.Empty(_recent.Of(Id(0)));
        Assert.Single(_recent.Of(Id(1)));
        Assert.Single(_recent.Of(Id(RecentOutcomes.OutcomesMax)));
    }

    private static QueueId Id(uint n) => QueueId.Create(DateTimeOffset.UnixEpoch.AddYears(55), n);

    private void Take(MailOutcome outcome) => Assert.True(_recent.TakeAsync(outcome).AsTask().IsCompletedSuccessfully);

    private MailOutcome.RecipientSettled Settled(QueueId id, string recipient, RecipientState state, string reply, bool tried = true) =>
        new(id, "jane", recipient, state, "inner:25", reply, 1, null, tried, _time.GetUtcNow());
}

using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>A session whose store or client fails.</summary>
public sealed class FaultTests
{
    [Fact]
    public void A_fault_of_ours_ends_its_session_is_named_as_ours_and_leaves_the_driver_in_peace()
    {
        using var bench = new SubmissionBench(heard: (_, _) => throw new InvalidOperationException("a fault"));
        bench.Send("EHLO laptop\r\n");
        Assert.True(bench.Run.IsCompletedSuccessfully);
        Assert.Equal("a fault of ours", bench.Why);
        Assert.Contains("a fault", Assert.Single(bench.Log.Events.OfType<MailEvent.Problem>()).What);
    }

    [Fact]
    public void A_client_that_leaves_is_no_problem()
    {
        using var bench = new SubmissionBench().LoggedIn();
        bench.Send("MAIL FROM:<jane@acme.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n");
        bench.Send("Subject: half\r\n");
        bench.Wire.Leave();
        Assert.True(bench.Run.IsCompletedSuccessfully);
        Assert.Empty(bench.Log.Events.OfType<MailEvent.Problem>());
        Assert.Empty(bench.Messages());
    }
}

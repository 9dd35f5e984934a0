using Sallyport.Server.Admin.Operations;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Admin;

public sealed class AlertOperationsTests : IAsyncDisposable
{
    private readonly AdminBench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task A_test_alert_without_a_running_server_says_that_none_runs()
    {
        var trial = await _bench.CallAsync(AlertOperations.Test, EmptyRequest.Instance);
        Assert.Equal((false, AdminCodes.NotRunning), (trial.Sent, trial.Code));
        Assert.Equal("failed", Assert.Single(trial.Steps).Outcome);
    }
}

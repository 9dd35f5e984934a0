using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Telemetry;
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

    [Fact]
    public async Task A_server_that_has_nobody_to_tell_says_what_to_set()
    {
        await using var running = new AdminBench(running: true);
        var trial = await running.CallAsync(AlertOperations.Test, EmptyRequest.Instance);
        Assert.Equal((false, AdminCodes.AlertNotConfigured), (trial.Sent, trial.Code));
        Assert.Contains("set mail or webhook in [alert]", Assert.Single(trial.Steps).Because);
    }

    [Fact]
    public async Task A_test_alert_is_queued_as_mail_to_each_address_and_logged_with_who_asked_for_it()
    {
        await using var running = new AdminBench(
            options => options with { Alert = new() { Mail = ["postmaster@acme.test", "duty@acme.test"] } }, running: true);
        var trial = await running.CallAsync(AlertOperations.Test, EmptyRequest.Instance);
        Assert.Equal((true, AdminCodes.AlertSent), (trial.Sent, trial.Code));
        Assert.All(trial.Steps, step => Assert.Equal(("ok", "queued for mail"), (step.Outcome, step.Because)));
        Assert.Equal(2, (await running.Store.Spool.TotalsAsync(TestContext.Current.CancellationToken)).Recipients);
        Assert.Equal(AdminCodes.AlertSent, Assert.Single(running.Log.Events.OfType<MailEvent.AdminChange>()).Code);
    }
}

using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Admin;

/// <summary>What would happen to a message: every rule in its order.</summary>
public sealed class ExplainerTests : IAsyncDisposable
{
    private const string Jane = "jane@acme.test";

    private readonly AdminBench _bench = new(options => options with
    {
        Routes = [new RouteOptions { Recipients = ["example.com"], Capture = "/nowhere" }],
    });

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task A_message_that_would_be_taken_passes_every_rule_in_order()
    {
        var explanation = await AskAsync(Jane, Jane, "bob@example.com");
        Assert.True(explanation.Accepted);
        Assert.Equal(["login", "app passwords", "sender", "route", "limits", "breaker"], explanation.Steps.Select(step => step.Rule));
        Assert.All(explanation.Steps, step => Assert.Equal("ok", step.Outcome));
    }

    [Fact]
    public async Task An_unknown_login_ends_it_at_the_first_rule()
    {
        var explanation = await AskAsync("eve", Jane, "bob@example.com");
        Assert.False(explanation.Accepted);
        Assert.Equal(("login", "refused"), Assert.Single(explanation.Steps) is var step ? (step.Rule, step.Outcome) : default);
    }

    [Theory]
    [InlineData("sender", "bob@acme.test", "bob@example.com")]
    [InlineData("sender", "not an address", "bob@example.com")]
    [InlineData("route", Jane, "bob@elsewhere.example")]
    [InlineData("recipient", Jane, "bob")]
    public async Task The_rule_that_refuses_is_the_one_named(string rule, string from, string to)
    {
        var explanation = await AskAsync(Jane, from, to);
        Assert.False(explanation.Accepted);
        Assert.Equal(rule, Assert.Single(explanation.Steps, step => step.Outcome == "refused").Rule);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<>")]
    public async Task The_null_sender_is_any_logins(string from) => Assert.True((await AskAsync(Jane, from, "bob@example.com")).Accepted);

    [Fact]
    public async Task A_suspended_login_is_refused_and_told_why()
    {
        await _bench.CallAsync(LoginOperations.Suspend, new NewSuspension(Jane, "stolen", null, false));
        var step = Assert.Single((await AskAsync(Jane, Jane, "bob@example.com")).Steps, step => step.Outcome == "refused");
        Assert.Equal(("suspension", "it is suspended: it can log in but cannot send until resumed: stolen"), (step.Rule, step.Because));
    }

    [Fact]
    public async Task A_password_is_tried_by_the_directory_that_knows_the_login()
    {
        Assert.True((await _bench.CallAsync(LoginTrialOperations.TryLogin, new LoginQuery(Jane, "own"))).Accepted);
        var wrong = await _bench.CallAsync(LoginTrialOperations.TryLogin, new LoginQuery(Jane, "other"));
        Assert.Equal((false, "directory site", "the password is wrong"), (wrong.Accepted, wrong.Steps[^1].Rule, wrong.Steps[^1].Because));
        Assert.Equal("none knows this login", (await _bench.CallAsync(LoginTrialOperations.TryLogin, new LoginQuery("eve", "x"))).Steps[^1].Because);
        _bench.People.Away = true;
        var away = await _bench.CallAsync(LoginTrialOperations.TryLogin, new LoginQuery(Jane, "own"));
        Assert.Equal((false, "unavailable"), (away.Accepted, away.Steps[^1].Outcome));
    }

    [Fact]
    public async Task No_directory_here_takes_a_token() => Assert.Equal("none takes this token",
        Assert.Single((await _bench.CallAsync(LoginTrialOperations.TryToken, new TokenQuery(null, "x"))).Steps).Because);

    private ValueTask<Explanation> AskAsync(string login, string from, string to) =>
        _bench.CallAsync(ExplainOperations.Explain, new ExplainQuery(login, from, to));
}

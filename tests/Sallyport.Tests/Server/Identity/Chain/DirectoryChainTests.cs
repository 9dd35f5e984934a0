using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Identity.Chain;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Chain;

public sealed class DirectoryChainTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly PeopleDirectory _first = new("first") { People = { ["anna"] = new("anna", "first", [], []) } };
    private readonly PeopleDirectory _second = new("second") { People = { ["bob"] = new("bob", "second", [], []) } };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_chain_names_the_directory_that_decided()
    {
        var verdict = await Chain(_first, _second).AskAsync<IDirectory>(one => one.FindAsync("bob", Cancel), Cancel);
        Assert.Equal(("second", "bob"), (verdict.Directory, Assert.IsType<LoginVerdict.Granted>(verdict).Entry.Login));
    }

    [Fact]
    public async Task A_chain_stops_at_a_directory_that_cannot_answer()
    {
        _first.Away = true;
        var verdict = await Chain(_first, _second).AskAsync<IDirectory>(one => one.FindAsync("bob", Cancel), Cancel);
        Assert.Equal((LoginReason.DirectoryUnavailable, "first"), (verdict.Reason, verdict.Directory));
    }

    [Fact]
    public async Task A_chain_asks_only_directories_of_the_kind_it_is_asked_for()
    {
        var verdict = await Chain(_first, _second).AskAsync<ITokenDirectory>(
            static _ => throw new InvalidOperationException("asked"), Cancel);
        Assert.Equal((LoginReason.UnknownLogin, ""), (verdict.Reason, verdict.Directory));
    }

    [Fact]
    public async Task A_fault_of_a_directory_is_a_verdict_with_its_name()
    {
        var verdict = await Chain(_first).AskAsync<IDirectory>(static _ => throw new IOException("it broke"), Cancel);
        Assert.Equal("directory first: it broke", Assert.IsType<LoginVerdict.Unavailable>(verdict).Why);
    }

    [Fact]
    public async Task A_directory_that_never_answers_is_given_up_by_the_clock_it_was_given()
    {
        var asked = Chain(_first).AskAsync<IDirectory>(static _ => new(Never<LoginVerdict>()), Cancel).AsTask();
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.IsType<LoginVerdict.Unavailable>(await asked.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
    }

    [Fact]
    public async Task An_exchange_whose_server_never_answers_is_given_up_by_the_clock_it_was_given()
    {
        var continued = Chain(_first).ContinueAsync(new SilentExchange(), default, Cancel).AsTask();
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.IsType<LoginVerdict.Unavailable>(await continued.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
    }

    private DirectoryChain Chain(params ImmutableArray<IDirectory> directories) => new(directories, _time);

    private static Task<T> Never<T>() => new TaskCompletionSource<T>().Task;

    private sealed class SilentExchange : IDirectoryExchange
    {
        public ValueTask<LoginVerdict> ContinueAsync(ReadOnlyMemory<byte> response, CancellationToken cancel) => new(Never<LoginVerdict>());

        public ValueTask DisposeAsync() => default;
    }
}

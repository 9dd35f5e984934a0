using System.Net;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Guard;
using Sallyport.Server.Identity.Passwords;
using Sallyport.Server.State;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Guard;

/// <summary>What the guard makes of proofs, tokens and certificates.</summary>
public sealed class VouchedGuardTests : IAsyncLifetime
{
    private static readonly IPAddress Office = IPAddress.Parse("192.0.2.7");

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
    private readonly SecretFingerprint _fingerprint = new();
    private readonly RecordingLog _log = new();
    private readonly OptionsInForce _site = new();
    private readonly MemoryStore _store;
    private SiteState _state = null!;
    private LoginGuard _guard = null!;

    public VouchedGuardTests() => _store = new MemoryStore(_time);

    public async ValueTask InitializeAsync()
    {
        _state = await _store.StateAsync(_log, _time);
        _guard = new LoginGuard(
            await LoginFailureTracker.LoadAsync(_state, TestContext.Current.CancellationToken), _log, _time, _site);
    }

    public async ValueTask DisposeAsync()
    {
        await _state.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public void Proofs_that_nobody_has_judged_yet_count_so_that_many_at_once_do_not_pass_the_directorys_limit()
    {
        var networks = Enumerable.Range(0, 50).Select(i => IPAddress.Parse($"198.51.{i}.9")).ToList();
        Assert.Equal(6, networks.Count(network => _guard.BeforeProof("jane", network) is GuardVerdict.Ask));
        Assert.IsType<GuardVerdict.NotNow>(_guard.Before("jane", Office, null));
        networks.Take(6).ToList().ForEach(network => _guard.After("jane", network, null, LoginOutcome.Unavailable));
        Assert.Equal(6, networks.Count(network => _guard.BeforeProof("jane", network) is GuardVerdict.Ask));
        networks.Take(6).ToList().ForEach(network => _guard.After("jane", network, null, LoginOutcome.Wrong));
        Assert.IsType<GuardVerdict.NotNow>(_guard.BeforeProof("jane", Office));
    }

    [Fact]
    public void Proofs_that_fail_are_answered_later_and_later_and_one_that_holds_is_forgiven_all()
    {
        var delays = Enumerable.Range(0, 4).Select(_ => Prove(LoginOutcome.Wrong).TotalMilliseconds).ToList();
        Assert.Equal([0, 500, 1000, 2000], delays);
        Assert.Equal(TimeSpan.Zero, Prove(LoginOutcome.Right));
        Assert.Equal(TimeSpan.Zero, Prove(LoginOutcome.Wrong));
    }

    [Fact]
    public void An_expired_token_that_a_phone_offers_all_day_counts_once_in_a_window_and_bans_nobody()
    {
        Offer("old", LoginOutcome.Wrong);
        for (var i = 1; i <= 100; i++)
        {
            Assert.Equal(i, Assert.IsType<GuardVerdict.SameWrongSecret>(Offer("old", LoginOutcome.Wrong)).Times);
        }

        for (var hour = 0; hour < 100; hour++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            Offer("old", LoginOutcome.Wrong);
        }

        Assert.Empty(_guard.Bans());
    }

    [Fact]
    public void Ever_other_wrong_tokens_ban_their_network_before_any_provider_is_asked_and_weigh_on_no_login()
    {
        Assert.Equal(20, Enumerable.Range(0, 60).Count(i => Offer($"forged {i}", LoginOutcome.Wrong, "jane") is GuardVerdict.Ask));
        Assert.Equal("192.0.2.7", Assert.Single(_guard.Bans()).Network);
        Assert.IsType<GuardVerdict.NotNow>(_guard.BeforeVouched(null, Office, "another"));
        Assert.IsType<GuardVerdict.Ask>(_guard.Before("jane", IPAddress.Parse("203.0.113.1"), NameOf("jane", "password")));
    }

    [Fact]
    public void A_token_that_may_yet_become_right_is_judged_again_and_counts_once()
    {
        Assert.All(Enumerable.Range(0, 60), _ => Assert.IsType<GuardVerdict.Ask>(Offer("new key", LoginOutcome.Wrong, isFinal: false)));
        Assert.Empty(_guard.Bans());
        Assert.IsType<GuardVerdict.Ask>(Offer("new key", LoginOutcome.Right));
    }

    [Fact]
    public void Who_has_come_with_a_right_token_comes_in_from_there_though_the_network_is_banned_later()
    {
        Offer("right", LoginOutcome.Right, "jane");
        _guard.Ban(Office, TimeSpan.FromHours(1));
        Assert.IsType<GuardVerdict.Ask>(_guard.BeforeVouched("jane", Office, "right"));
        Assert.IsType<GuardVerdict.Ask>(_guard.BeforeVouched(null, Office, "right"));
        Assert.IsType<GuardVerdict.NotNow>(_guard.BeforeVouched("bob", Office, "other"));
    }

    private TimeSpan Prove(LoginOutcome outcome)
    {
        Assert.IsType<GuardVerdict.Ask>(_guard.BeforeProof("jane", Office));
        return _guard.After("jane", Office, null, outcome);
    }

    private GuardVerdict Offer(string token, LoginOutcome outcome, string? named = null, bool isFinal = true)
    {
        var verdict = _guard.BeforeVouched(named, Office, token);
        if (verdict is GuardVerdict.Ask)
        {
            _guard.AfterVouched(named ?? "jane", Office, token, outcome, isFinal);
        }

        return verdict;
    }

    private string NameOf(string login, string password) => _fingerprint.Of(FingerprintPurpose.Guess, "", login, password);
}

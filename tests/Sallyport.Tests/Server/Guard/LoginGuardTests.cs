using System.Net;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Configuration;
using Sallyport.Server.Guard;
using Sallyport.Server.Identity.Passwords;
using Sallyport.Server.State;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Guard;

public sealed class LoginGuardTests : IAsyncLifetime
{
    private static readonly IPAddress Office = IPAddress.Parse("192.0.2.7");
    private static readonly IPAddress Attacker = IPAddress.Parse("198.51.100.9");

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
    private readonly SecretFingerprint _fingerprint = new();
    private readonly RecordingLog _log = new();
    private readonly MemoryStore _store;
    private readonly OptionsInForce _site = new();
    private SiteState _state = null!;
    private LoginGuard _guard = null!;

    public LoginGuardTests() => _store = new MemoryStore(_time);

    private GuardOptions Guard
    {
        get => _site.Options.Guard;
        set => _site.Options = _site.Options with { Guard = value };
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await RestartAsync();

    public async ValueTask DisposeAsync()
    {
        await _state.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public void The_directory_sees_no_more_wrong_secrets_of_a_login_than_it_may_from_however_many_networks()
    {
        var asked = 0;
        for (var i = 0; i < 2000; i++)
        {
            asked += Guess("jane", IPAddress.Parse($"198.51.{i % 40}.9"), $"guess {i}") is GuardVerdict.Ask ? 1 : 0;
        }

        Assert.Equal(6, asked); // 8, less a quarter kept for the networks it is known from
        _time.Advance(Guard.Window);
        Assert.IsType<GuardVerdict.Ask>(Guess("jane", IPAddress.Parse("203.0.113.1"), "one more"));
    }

    [Fact]
    public void A_login_under_attack_stays_usable_from_the_networks_it_has_succeeded_from()
    {
        LogIn("jane", Office, "secret");
        for (var i = 0; i < 100; i++)
        {
            Guess("jane", IPAddress.Parse($"198.51.100.{i}"), $"guess {i}");
        }

        var refused = Assert.IsType<GuardVerdict.NotNow>(_guard.Before("jane", IPAddress.Parse("203.0.113.5"), NameOf("jane", "secret")));
        Assert.Contains("under attack", refused.Why, StringComparison.Ordinal);
        Assert.IsType<GuardVerdict.Ask>(_guard.Before("jane", Office, NameOf("jane", "secret")));
        Assert.Equal(TimeSpan.Zero, _guard.After("jane", Office, NameOf("jane", "secret"), LoginOutcome.Right));
    }

    [Fact]
    public void A_user_who_logs_in_all_day_gives_those_who_guess_at_the_login_no_further_guess()
    {
        LogIn("jane", Office, "secret");
        var asked = 0;
        for (var i = 0; i < 500; i++)
        {
            asked += Guess("jane", IPAddress.Parse($"198.51.{i % 100}.9"), $"guess {i}") is GuardVerdict.Ask ? 1 : 0;
            LogIn("jane", Office, "secret");
        }

        Assert.Equal(6, asked);
        Assert.IsType<GuardVerdict.Ask>(Guess("jane", Office, "typo"));
        LogIn("jane", Office, "secret");
        Assert.IsType<GuardVerdict.NotNow>(Guess("jane", Attacker, "one more"));
    }

    [Fact]
    public void Who_goes_on_guessing_at_a_login_that_must_wait_is_banned_and_who_comes_back_with_one_password_is_not()
    {
        for (var i = 0; i < 100; i++)
        {
            Guess("jane", IPAddress.Parse($"198.51.100.{i}"), $"guess {i}");
        }

        var hotel = IPAddress.Parse("203.0.113.5");
        for (var i = 0; i < 200; i++)
        {
            Assert.IsType<GuardVerdict.NotNow>(Guess("jane", hotel, "the right one"));
        }

        Assert.Empty(_guard.Bans());
        for (var i = 0; i < 30; i++)
        {
            Assert.IsType<GuardVerdict.NotNow>(Guess("jane", Attacker, $"other {i}"));
        }

        Assert.Equal(Attacker.ToString(), Assert.Single(_guard.Bans()).Network);
        Assert.Single(_log.Events.OfType<Sallyport.Server.Telemetry.MailEvent.NetworkBanned>());
    }

    [Fact]
    public async Task The_names_a_login_goes_by_are_one_login_to_whoever_guesses_and_to_whoever_owns_it()
    {
        const string canonical = "cn=jane doe,o=acme";
        string[] names = ["jdoe", "jane@acme.test", "jane doe/acme", canonical];
        LogIn("jdoe", Office, "secret", canonical);
        var asked = 0;
        for (var i = 0; i < 400; i++)
        {
            var (name, network) = (names[i % 4], IPAddress.Parse($"198.51.{i % 50}.9"));
            if (_guard.Before(name, network, NameOf(name, $"guess {i}")) is GuardVerdict.Ask)
            {
                asked++;
                _guard.After(name, network, NameOf(name, $"guess {i}"), LoginOutcome.Wrong, canonical);
            }
        }

        Assert.Equal(6, asked);
        LogIn("jdoe", Office, "secret", canonical);
        LogIn("jane@acme.test", Office, "secret", canonical);
        await RestartAsync();
        LogIn("jdoe", Office, "secret", canonical);
        LogIn("jane@acme.test", Office, "secret", canonical);
        Assert.IsType<GuardVerdict.NotNow>(_guard.Before("jdoe", Attacker, NameOf("jdoe", "one more")));
        _guard.Forget("jane@acme.test");
        Assert.IsType<GuardVerdict.Ask>(_guard.Before("jdoe", Attacker, NameOf("jdoe", "one more")));
    }

    [Fact]
    public void Networks_nobody_has_logged_in_from_for_long_are_known_no_more()
    {
        LogIn("jane", Office, "secret");
        _time.Advance(Guard.KnownNetworkFor + TimeSpan.FromDays(1));
        Guess("bob", Attacker, "x");
        _guard.Ban(Office, TimeSpan.FromHours(1));
        Assert.NotNull(_guard.RefusalAtConnect(Office));
    }

    [Fact]
    public void A_login_nobody_has_must_wait_like_one_that_somebody_has()
    {
        var answers = new[] { LoginOutcome.Wrong, LoginOutcome.UnknownLogin }.Select(outcome => Enumerable.Range(0, 60).Select(i =>
        {
            var (login, network, secret) = ($"{outcome}", IPAddress.Parse($"198.51.{100 + (i % 30)}.{(int)outcome}"), $"{outcome} {i}");
            var verdict = _guard.Before(login, network, secret);
            var delay = verdict is GuardVerdict.Ask ? _guard.After(login, network, secret, outcome) : TimeSpan.Zero;
            return (verdict.GetType(), delay);
        }).ToList()).ToList();
        Assert.Equal(answers[0], answers[1]);
        Assert.Contains(answers[1], answer => answer.Item1 == typeof(GuardVerdict.NotNow));
    }

    [Fact]
    public void One_password_tried_on_many_logins_bans_the_network_longer_each_time()
    {
        Assert.Equal(20, Spray("a"));
        var ban = Assert.Single(_guard.Bans());
        Assert.Equal(("198.51.100.9", _time.GetUtcNow() + Guard.BanFirst), (ban.Network, ban.Until));
        Assert.NotNull(_guard.RefusalAtConnect(Attacker));
        Assert.Null(_guard.RefusalAtConnect(Office));
        _time.Advance(Guard.BanFirst);
        Assert.Null(_guard.RefusalAtConnect(Attacker));
        Assert.Equal(20, Spray("b"));
        Assert.Equal(_time.GetUtcNow() + (2 * Guard.BanFirst), Assert.Single(_guard.Bans()).Until);
    }

    [Fact]
    public void A_ban_leaves_the_logins_alone_that_the_network_is_known_for()
    {
        LogIn("jane", Office, "secret");
        for (var i = 0; i < 40; i++)
        {
            Guess($"login{i}", Office, "Summer2026");
        }

        Assert.NotEmpty(_guard.Bans());
        Assert.Null(_guard.RefusalAtConnect(Office));
        Assert.IsType<GuardVerdict.NotNow>(_guard.Before("bob", Office, "x"));
        Assert.IsType<GuardVerdict.Ask>(_guard.Before("jane", Office, NameOf("jane", "secret")));
    }

    [Fact]
    public void The_same_wrong_secret_counts_once_and_is_no_attack()
    {
        Guess("jane", Office, "old password");
        for (var i = 1; i <= 300; i++)
        {
            Assert.Equal(i, Assert.IsType<GuardVerdict.SameWrongSecret>(Guess("jane", Office, "old password")).Times);
        }

        Assert.Empty(_guard.Bans());
        Assert.Equal(("jane", 300), (Assert.Single(_guard.StaleSecrets()).Login, _guard.StaleSecrets()[0].Times));
        Assert.IsType<GuardVerdict.Ask>(Guess("jane", Office, "right password"));
        _time.Advance(Guard.StaleRecheck);
        Assert.IsType<GuardVerdict.Ask>(Guess("jane", Office, "old password")); // it may be right by now
    }

    [Fact]
    public void Attempts_at_the_same_moment_are_counted_before_they_are_judged()
    {
        var asked = Enumerable.Range(0, 64).Count(i => _guard.Before("jane", Attacker, $"guess {i}") is GuardVerdict.Ask);
        Assert.Equal(Guard.FailuresPerLoginAndNetwork, asked);
        Assert.All(Enumerable.Range(0, 64), _ => Assert.IsType<GuardVerdict.Ask>(_guard.Before("bob", Office, "the right one")));
    }

    [Fact]
    public void Answers_to_failures_come_slower_and_slower_and_a_success_forgives()
    {
        double Wait(int i)
        {
            Assert.IsType<GuardVerdict.Ask>(_guard.Before("jane", Office, $"typo {i}"));
            return _guard.After("jane", Office, $"typo {i}", LoginOutcome.Wrong).TotalSeconds;
        }

        Assert.Equal([0, 0.5, 1, 2], Enumerable.Range(0, 4).Select(Wait));
        LogIn("jane", Office, "secret");
        Assert.Equal(0, Wait(9));
    }

    [Fact]
    public void A_directory_that_is_away_counts_nothing()
    {
        for (var i = 0; i < 100; i++)
        {
            Assert.IsType<GuardVerdict.Ask>(_guard.Before("jane", Office, $"{i}"));
            _guard.After("jane", Office, $"{i}", LoginOutcome.Unavailable);
        }
    }

    [Fact]
    public async Task Bans_counts_and_known_networks_outlive_a_restart()
    {
        LogIn("jane", Office, "secret");
        Spray("a");
        for (var i = 0; i < 10; i++)
        {
            Guess("jane", IPAddress.Parse($"198.51.{i}.1"), $"guess {i}");
        }

        await RestartAsync();
        Assert.NotNull(_guard.RefusalAtConnect(Attacker));
        Assert.IsType<GuardVerdict.NotNow>(_guard.Before("jane", IPAddress.Parse("203.0.113.5"), "x"));
        Assert.IsType<GuardVerdict.Ask>(_guard.Before("jane", Office, "x"));
    }

    [Fact]
    public async Task What_the_guard_did_the_operator_can_undo()
    {
        Spray("a");
        Assert.True(_guard.Unban(Attacker));
        Assert.False(_guard.Unban(Attacker));
        Assert.IsType<GuardVerdict.Ask>(Guess("z", Attacker, "x"));
        for (var i = 0; i < 10; i++)
        {
            Guess("jane", Office, $"typo {i}");
        }

        Assert.IsType<GuardVerdict.NotNow>(_guard.Before("jane", Office, "secret"));
        _guard.Forget("jane");
        Assert.IsType<GuardVerdict.Ask>(_guard.Before("jane", Office, "secret"));
        _guard.Ban(IPAddress.Parse("2001:db8:1:2:3::4"), TimeSpan.FromHours(1));
        Assert.NotNull(_guard.RefusalAtConnect(IPAddress.Parse("2001:db8:1:2:ffff::1")));
        await RestartAsync();
        Assert.Equal("2001:db8:1:2::", Assert.Single(_guard.Bans()).Network);
    }

    [Fact]
    public void A_network_that_is_never_banned_is_not_and_a_guard_that_is_off_asks_always()
    {
        Guard = Guard with { NeverBan = [IPNetwork.Parse("198.51.100.0/24")] };
        Assert.Equal(60, Spray("a"));
        Assert.Empty(_guard.Bans());
        Guard = Guard with { Enabled = false };
        Assert.All(Enumerable.Range(0, 50), i => Assert.IsType<GuardVerdict.Ask>(Guess("jane", Attacker, $"{i}")));
    }

    [Fact]
    public void Many_blanks_in_a_name_are_no_more_guesses_at_it()
    {
        LogIn("jane doe", Office, "right");
        var asked = Enumerable.Range(0, 20).Count(i => Guess("jane" + new string(' ', i + 1) + "doe", Attacker, $"guess {i}") is GuardVerdict.Ask);
        Assert.Equal(Guard.FailuresPerLoginAndNetwork, asked);
        Assert.IsType<GuardVerdict.Ask>(_guard.Before("jane  doe", Office, "right"));
    }

    [Fact]
    public void What_failed_while_the_clock_was_ahead_is_forgiven_with_the_window()
    {
        var count = new SlidingCount(10);
        var now = _time.GetUtcNow();
        count.Add(now.AddYears(1));
        Assert.Equal(1, count.Within(TimeSpan.FromMinutes(15), now));
        Assert.Equal(0, count.Within(TimeSpan.FromMinutes(15), now.AddMinutes(15)));
    }

    /// <summary>60 logins, one guess each; returns how many were asked.</summary>
    private int Spray(string prefix) => Enumerable.Range(0, 60).Count(i => Guess($"{prefix}{i}", Attacker, "Summer2026") is GuardVerdict.Ask);

    private GuardVerdict Guess(string login, IPAddress from, string password)
    {
        var name = NameOf(login, password);
        var verdict = _guard.Before(login, from, name);
        if (verdict is GuardVerdict.Ask)
        {
            _guard.After(login, from, name, LoginOutcome.Wrong);
        }

        return verdict;
    }

    private void LogIn(string login, IPAddress from, string password, string? directoryName = null)
    {
        Assert.IsType<GuardVerdict.Ask>(_guard.Before(login, from, NameOf(login, password)));
        _guard.After(login, from, NameOf(login, password), LoginOutcome.Right, directoryName);
    }

    private async Task RestartAsync()
    {
        if (_state is not null)
        {
            await _state.DisposeAsync();
        }

        _state = await _store.StateAsync(_log, _time);
        _guard = new LoginGuard(await LoginFailureTracker.LoadAsync(_state, Cancel), _log, _time, _site);
    }

    private string NameOf(string login, string password) => _fingerprint.Of(FingerprintPurpose.Guess, "", login, password);
}

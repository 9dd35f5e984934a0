using System.Net;
using Sallyport.Mail.Policy;
using Sallyport.Server.Configuration;
using Xunit;

namespace Sallyport.Tests.Server.Configuration;

/// <summary>[breaker], [[breaker.for]], [alert] and [metrics].</summary>
public sealed class BreakerReaderTests : IDisposable
{
    private readonly SiteFolder _site = new();

    public BreakerReaderTests() => _site.Write("secret", "s3cret\n");

    public void Dispose() => _site.Dispose();

    [Fact]
    public void Without_a_word_it_stops_stolen_accounts_and_trusts_this_machine()
    {
        var options = Load("");
        Assert.Equal(new BreakerLimits(), options.Breaker.LimitsOf("jane", []));
        Assert.True(options.Breaker.IsTrusted(IPAddress.Parse("127.0.0.9")));
        Assert.True(options.Breaker.IsTrusted(IPAddress.IPv6Loopback));
        Assert.False(options.Breaker.IsTrusted(IPAddress.Parse("192.0.2.1")));
        Assert.Null(options.Metrics.Address);
        Assert.Equal("your mail administrator", options.Alert.Contact);
    }

    [Fact]
    public void Every_limit_has_its_key()
    {
        var breaker = Load("""
            [breaker]
            first_contacts_per_hour = 1
            first_contacts_per_day = 2
            recipients_per_hour = 3
            messages_per_hour = 4
            bounces_min = 5
            bounce_ratio = 0.5
            networks_per_hour = 7
            factor = 8
            learn_days = 9
            trusted_networks = ["192.0.2.0/24"]
            """).Breaker;
        Assert.Equal(new BreakerLimits(1, 2, 3, 4, 5, 0.5, 7, 8, 9), breaker.Limits);
        Assert.False(breaker.IsTrusted(IPAddress.Loopback));
        Assert.True(breaker.IsTrusted(IPAddress.Parse("192.0.2.1")));
    }

    [Fact]
    public void A_list_of_nothing_trusts_nobody() =>
        Assert.False(Load("[breaker]\ntrusted_networks = []").Breaker.IsTrusted(IPAddress.Loopback));

    [Fact]
    public void A_raised_limit_raises_what_it_does_not_name()
    {
        var breaker = Load("""
            [breaker]
            networks_per_hour = 9
            [[breaker.for]]
            who = ["news@acme.test", "group:Marketing"]
            first_contacts_per_day = 20000
            messages_per_hour = 700
            [[breaker.for]]
            who = ["scanner"]
            enabled = false
            """).Breaker;
        var raised = new BreakerLimits(20_000, 20_000, 20_000, 700, NetworksPerHour: 9, LearnDays: int.MaxValue);
        Assert.Equal(raised, breaker.LimitsOf("NEWS@acme.test", []));
        Assert.Equal(raised, breaker.LimitsOf("anna", ["marketing"]));
        Assert.Null(breaker.LimitsOf("scanner", []));
        Assert.Equal(new BreakerLimits(NetworksPerHour: 9), breaker.LimitsOf("jane", []));
        Assert.Null(Load("[breaker]\nenabled = false").Breaker.LimitsOf("jane", []));
    }

    [Fact]
    public void Alerts_and_metrics_are_read_and_the_secret_is_never_printed()
    {
        var options = Load("""
            [alert]
            mail = ["postmaster@acme.test", "ops@acme.test"]
            from = "sallyport@acme.test"
            webhook = "https://chat.acme.test/hook?x=1"
            webhook_secret_file = "secret"
            webhook_timeout = "5s"
            webhook_tries = 2
            cool_down = "10m"
            [metrics]
            address = "127.0.0.1:9464"
            """);
        Assert.Equal(("postmaster@acme.test", "sallyport@acme.test", "s3cret", 2), (options.Alert.Contact, options.Alert.From,
            options.Alert.WebhookSecret, options.Alert.WebhookTries));
        Assert.Equal((5, 10), (options.Alert.WebhookTimeout.TotalSeconds, options.Alert.CoolDown.TotalMinutes));
        Assert.DoesNotContain("s3cret", options.Alert.ToString());
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 9464), options.Metrics.Address);
    }

    [Fact]
    public void Metrics_on_the_network_are_a_doubt() => Assert.Contains(
        "open to the network, without TLS and without a login",
        Assert.Single(Assert.IsType<ConfigurationResult.Loaded>(Parse("[metrics]\naddress = \"0.0.0.0:9464\"")).Warnings).Message);

    [Theory]
    [InlineData("acme.test", "ops@acme.test", false)]
    [InlineData(".acme.test", "ops@inner.ACME.test", false)]
    [InlineData("acme.test", "ops@inner.acme.test", true)]
    public void An_alert_no_route_takes_is_a_doubt(string route, string mail, bool doubted) => Assert.Equal(
        doubted, Assert.IsType<ConfigurationResult.Loaded>(Parse($"[alert]\nmail = \"{mail}\"", route)).Warnings
            .Any(warning => warning.Message == $"no route takes {mail}: alerts would not reach it"));

    [Theory]
    [InlineData("[breaker]\nfirst_contacts = 3", "is not known in [breaker]")]
    [InlineData("[breaker]\nfirst_contacts_per_hour = 0", "must be a whole number from 1")]
    [InlineData("[breaker]\ntrusted_networks = [\"office\"]", "\"office\" is not a network")]
    [InlineData("[[breaker.for]]\nenabled = false", "breaker.for.who: is missing")]
    [InlineData("[[breaker.for]]\nwho = [\"group:\"]", "\"group:\" names no group")]
    [InlineData("[breaker.for]\nwho = [\"x\"]", "may be there more than once: write [[breaker.for]]")]
    [InlineData("[alert]\nmail = \"postmaster\"", "\"postmaster\" is not a mail address")]
    [InlineData("[alert]\nwebhook = \"ftp://x.test/\"", "is not an http:// or https:// address")]
    [InlineData("[alert]\nwebhook = \"https://u:p@x.test/\"", "without a login in it")]
    [InlineData("[alert]\nwebhook = \"https://x.test/\"\nwebhook_secret = \"x\"", "must not be in the configuration")]
    [InlineData("[alert]\nwebhook_secret_file = \"secret\"", "alert.webhook: is missing, though there is a secret")]
    [InlineData("[metrics]\naddress = \"9464\"", "\"9464\" is not an IP address and a port")]
    public void Mistakes_are_shown_with_what_is_right(string text, string message) => Assert.Contains(
        Assert.IsType<ConfigurationResult.Invalid>(Parse(text)).Problems, problem => problem.ToString().Contains(message, StringComparison.Ordinal));

    private ServerOptions Load(string text) => Assert.IsType<ConfigurationResult.Loaded>(Parse(text)).Options;

    private ConfigurationResult Parse(string text, string route = "*") => BothSources.Parse(_site.File, $"""
        hostname = "smtp.acme.test"
        data = "data"
        [[listener]]
        address = "127.0.0.1:5870"
        tls = "none"
        [[route]]
        recipients = ["{route}"]
        capture = "capture"
        {text}
        """);
}

using System.Security.Cryptography.X509Certificates;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Relay;

/// <summary>What the route demands is never given up for the sake of a delivery; what the next hop cannot do is not asked of it.</summary>
public sealed class RelayDemandTests : IAsyncDisposable
{
    private readonly ScriptedHop _hop = new();
    private readonly string _ca = Path.GetTempFileName();

    public async ValueTask DisposeAsync()
    {
        File.Delete(_ca);
        await _hop.DisposeAsync();
    }

    [Theory]
    [InlineData(RelayTls.Verify)]
    [InlineData(RelayTls.Encrypt)]
    public async Task Without_STARTTLS_nothing_goes_where_TLS_is_demanded(RelayTls tls)
    {
        await using var bench = new RelayBench(RelayBench.To(_hop) with { Tls = tls });
        await bench.SubmitAsync(1, "a@x.test");
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal((RecipientState.Due, $"454 4.7.10 {_hop.Address} offers no STARTTLS, which this route demands"), (settled.State, settled.Reply));
        Assert.Equal(0, _hop.Count("MAIL"));
    }

    [Theory]
    [InlineData(RelayTls.Verify, false, "its certificate is not from an authority trusted here")]
    [InlineData(RelayTls.Encrypt, false, null)]
    [InlineData(RelayTls.May, false, null)]
    [InlineData(RelayTls.Verify, true, null)]
    public async Task A_certificate_is_verified_where_the_route_says_so(RelayTls tls, bool trusted, string? refusal)
    {
        _hop.Certificate = Certificate("127.0.0.1");
        await using var bench = new RelayBench(RelayBench.To(_hop) with { Tls = tls, TlsCa = trusted ? _ca : null });
        await bench.SubmitAsync(1, "a@x.test");
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal(refusal is null ? RecipientState.Relayed : RecipientState.Due, settled.State);
        Assert.Contains(refusal ?? "taken", settled.Reply, StringComparison.Ordinal);
        Assert.Equal(refusal is null ? 2 : 1, _hop.Count("EHLO"));
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused_unless_the_route_names_it()
    {
        _hop.Certificate = Certificate("inner.acme.test");
        await using (var bench = new RelayBench(RelayBench.To(_hop) with { Tls = RelayTls.Verify, TlsCa = _ca }))
        {
            await bench.SubmitAsync(1, "a@x.test");
            Assert.Contains("its certificate is not for 127.0.0.1", (await bench.SettledAsync(1))[0].Reply, StringComparison.Ordinal);
        }

        await using var named = new RelayBench(RelayBench.To(_hop) with { Tls = RelayTls.Verify, TlsCa = _ca, TlsName = "inner.acme.test" });
        await named.SubmitAsync(1, "a@x.test");
        Assert.Equal(RecipientState.Relayed, (await named.SettledAsync(1))[0].State);
    }

    [Fact]
    public async Task A_failed_handshake_is_not_followed_by_plain_text_even_where_TLS_is_optional()
    {
        _hop.Certificate = Certificate("127.0.0.1");
        _hop.Script = (_, command) => command == "STARTTLS" ? "220 2.0.0 Go on\r\nthis is no handshake" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop) with { Tls = RelayTls.May });
        await bench.SubmitAsync(1, "a@x.test");
        Assert.Equal(RecipientState.Due, (await bench.SettledAsync(1))[0].State);
        Assert.Equal(0, _hop.Count("MAIL"));
    }

    [Theory]
    [InlineData("AUTH PLAIN LOGIN", "AUTH PLAIN AGphbmUAc2VjcmV0")]
    [InlineData("AUTH=LOGIN", "AUTH LOGIN")]
    public async Task A_login_the_route_demands_is_made_over_TLS(string offer, string command)
    {
        _hop.Certificate = Certificate("127.0.0.1");
        _hop.Extensions = [offer];
        _hop.Script = (_, heard) => heard switch
        {
            "AUTH PLAIN AGphbmUAc2VjcmV0" => "235 2.7.0 Welcome",
            "AUTH LOGIN" => "334 VXNlcm5hbWU6",
            "amFuZQ==" => "334 UGFzc3dvcmQ6",
            "c2VjcmV0" => "235 2.7.0 Welcome",
            _ => null,
        };
        await using var bench = new RelayBench(LoginRoute());
        await bench.SubmitAsync(1, "a@x.test");
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(1))[0].State);
        Assert.Equal(1, _hop.Count(command));
    }

    [Theory]
    [InlineData("SIZE", null, "offers no login we know; this route demands one")]
    [InlineData("AUTH GSSAPI", null, "offers no login we know; this route demands one")]
    [InlineData("AUTH PLAIN", "535 5.7.8 Wrong", "did not accept the login jane of this route: 535 5.7.8 Wrong")]
    [InlineData("AUTH PLAIN", "454 4.7.0 Later", "did not accept the login jane of this route: 454 4.7.0 Later")]
    [InlineData("AUTH SCRAM-SHA-256", "235 2.7.0 Welcome", "did not accept the login jane of this route: 235")]
    public async Task Without_its_login_nothing_is_sent_and_nothing_bounces(string offer, string? answer, string why)
    {
        _hop.Certificate = Certificate("127.0.0.1");
        _hop.Extensions = [offer];
        _hop.Script = (_, command) => command.StartsWith("AUTH", StringComparison.Ordinal) ? answer : null;
        await using var bench = new RelayBench(LoginRoute());
        await bench.SubmitAsync(1, "a@x.test");
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal(RecipientState.Due, settled.State);
        Assert.Contains(why, settled.Reply, StringComparison.Ordinal);
        Assert.DoesNotContain(bench.Log.Events, line => line.ToString().Contains("secret", StringComparison.Ordinal));
        Assert.Equal(0, _hop.Count("MAIL"));
    }

    [Fact]
    public async Task A_login_that_is_asked_on_and_on_ends()
    {
        _hop.Certificate = Certificate("127.0.0.1");
        _hop.Extensions = ["AUTH LOGIN"];
        var asking = false;
        _hop.Script = (_, command) => (asking |= command.StartsWith("AUTH", StringComparison.Ordinal)) ? "334 VXNlcm5hbWU6" : null;
        await using var bench = new RelayBench(LoginRoute());
        await bench.SubmitAsync(1, "a@x.test");
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal(RecipientState.Due, settled.State);
        Assert.Contains("asks on and on", settled.Reply, StringComparison.Ordinal);
        Assert.Equal(0, _hop.Count("MAIL"));
    }

    [Fact]
    public async Task A_login_is_not_sent_in_clear_where_TLS_is_optional()
    {
        _hop.Extensions = ["AUTH PLAIN"];
        await using var bench = new RelayBench(LoginRoute() with { Tls = RelayTls.May });
        await bench.SubmitAsync(1, "a@x.test");
        Assert.Contains("offers no STARTTLS", (await bench.SettledAsync(1))[0].Reply, StringComparison.Ordinal);
        Assert.Equal(0, _hop.Count("AUTH"));
    }

    [Theory]
    [InlineData("8BITMIME SMTPUTF8", "hello \u00e4", "a@x.test", " BODY=8BITMIME", null)]
    [InlineData("SMTPUTF8", "hello \u00e4", "a@x.test", null, "554 5.6.3 The next server takes no 8-bit content (8BITMIME)")]
    [InlineData("8BITMIME", "hello", "j\u00f6rg@x.test", null, "553 5.6.7 The next server takes no internationalised mail (SMTPUTF8)")]
    [InlineData("8BITMIME SMTPUTF8", "hello", "j\u00f6rg@x.test", " SMTPUTF8", null)]
    [InlineData("SIZE=20", "hello", "a@x.test", null, "552 5.3.4 The message has 21 octets; the next server takes 20")]
    [InlineData("SIZE=21", "hello", "a@x.test", " SIZE=21", null)]
    [InlineData("SIZE", "hello", "a@x.test", " SIZE=21", null)]
    public async Task What_the_hop_cannot_carry_fails_before_it_is_sent(string offer, string body, string to, string? parameters, string? failure)
    {
        _hop.Extensions = [.. offer.Split(' ').Select(word => word.Replace('=', ' '))];
        await using var bench = new RelayBench(RelayBench.To(_hop));
        var record = Record(to);
        record = record with { Envelope = record.Envelope with { ReversePath = ReversePath.Null, SmtpUtf8 = to[1] > 127 } };
        await bench.SubmitAsync(1, record, "Subject: x\r\n\r\n" + body + "\r\n");
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal(failure is null ? RecipientState.Relayed : RecipientState.Failed, settled.State);
        Assert.Equal(failure ?? settled.Reply, settled.Reply);
        Assert.Equal(failure is null ? ["MAIL FROM:<>" + parameters] : [], _hop.Messages.Select(message => message.Mail));
    }

    [Theory]
    [InlineData("DSN", " RET=HDRS ENVID=QQ+2B314", " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bb@old.test", 0)]
    [InlineData("HELP", "", "", 1)]
    public async Task The_wish_for_reports_goes_along_where_the_hop_knows_it_and_is_kept_here_where_not(
        string offer, string mail, string rcpt, int reports)
    {
        _hop.Extensions = [offer];
        await using var bench = new RelayBench(RelayBench.To(_hop));
        var record = Record("a@x.test");
        var notify = DsnNotify.Success | DsnNotify.Failure;
        await bench.SubmitAsync(1, record with
        {
            Envelope = record.Envelope with
            {
                EnvelopeId = "QQ+314",
                Return = DsnReturn.Headers,
                Recipients = [record.Envelope.Recipients[0] with { Notify = notify, OriginalRecipient = "rfc822;a+b@old.test" }],
            }
        });
        await bench.SettledAsync(1 + reports);
        Assert.Equal("MAIL FROM:<jane@acme.test>" + mail, _hop.Messages[0].Mail);
        Assert.Equal(["RCPT TO:<a@x.test>" + rcpt], _hop.Messages[0].Rcpt);
        Assert.Equal(Enumerable.Repeat("relayed", reports), bench.Log.Events.OfType<MailEvent.ReportKept>().Select(report => report.Kind));
        Assert.Equal(1 + reports, _hop.Messages.Length);
    }

    [Fact]
    public async Task A_hop_of_the_old_kind_is_greeted_with_HELO_and_gets_no_parameter()
    {
        _hop.Script = (_, command) => command.StartsWith("EHLO", StringComparison.Ordinal) ? "502 What?" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "a@x.test");
        await bench.SettledAsync(1);
        Assert.Equal(1, _hop.Count("HELO smtp.acme.test"));
        Assert.Equal("MAIL FROM:<jane@acme.test>", _hop.Messages[0].Mail);
    }

    private RouteOptions LoginRoute() =>
        RelayBench.To(_hop) with { Tls = RelayTls.Verify, TlsCa = _ca, Login = "jane", Password = "secret" };

    private X509Certificate2 Certificate(string name) => HopCertificate.For(name, _ca);
}

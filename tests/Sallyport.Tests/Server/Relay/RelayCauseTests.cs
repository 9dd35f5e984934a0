using Sallyport.Mail.Relaying;
using Sallyport.Server.Configuration;
using Sallyport.Server.Relay;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Store;
using Xunit;

namespace Sallyport.Tests.Server.Relay;

/// <summary>Why a recipient was not relayed is a value from the connection to the log, and nobody reads it out of the words.</summary>
public sealed class RelayCauseTests : IAsyncDisposable
{
    private readonly ScriptedHop _hop = new();
    private readonly DeadHost _dead = new();

    public async ValueTask DisposeAsync()
    {
        _dead.Dispose();
        await _hop.DisposeAsync();
    }

    [Theory]
    [InlineData("connect", "554 5.3.2 Not for you", RelayFailure.HostRejectsUs)]
    [InlineData("connect", "421 4.3.2 Too busy", RelayFailure.HostBusy)]
    [InlineData("connect", "hello there", RelayFailure.ProtocolViolation)]
    [InlineData("connect", ScriptedHop.Drop, RelayFailure.ConnectionLost)]
    [InlineData("MAIL", "530 5.7.0 Log in first", RelayFailure.LoginDemanded)]
    [InlineData("MAIL", "550 5.7.1 Not from you", RelayFailure.SenderRejected)]
    [InlineData("MAIL", "451 4.3.0 Later", RelayFailure.HostBusy)]
    [InlineData("RCPT", "550 5.1.1 No such user", RelayFailure.RecipientRejected)]
    [InlineData("RCPT", "450 4.7.1 Greylisted, come again", RelayFailure.Greylisted)]
    [InlineData("RCPT", "452 4.2.2 Mailbox full", RelayFailure.RecipientDeferred)]
    [InlineData("RCPT", "421 4.3.2 Going down", RelayFailure.HostBusy)]
    [InlineData("DATA", "554 5.6.0 No", RelayFailure.ContentRejected)]
    [InlineData(".", "554 5.7.1 Spam", RelayFailure.ContentRejected)]
    [InlineData(".", "451 4.3.0 Disk full", RelayFailure.ContentDeferred)]
    [InlineData(".", ScriptedHop.Drop, RelayFailure.ContentReplyLost)]
    public async Task What_a_host_answers_becomes_a_cause(string command, string reply, RelayFailure cause)
    {
        _hop.Script = (_, heard) => heard.StartsWith(command, StringComparison.Ordinal) ? reply : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "a@x.test");
        Assert.Equal(cause, (await bench.SettledAsync(1))[0].Cause);
    }

    [Fact]
    public async Task What_is_relayed_has_no_cause_and_what_nobody_listens_for_is_refused()
    {
        await using (var bench = new RelayBench(RelayBench.To(_hop)))
        {
            await bench.SubmitAsync(1, "a@x.test");
            Assert.Equal(RelayFailure.None, (await bench.SettledAsync(1))[0].Cause);
        }

        await using var dead = new RelayBench(RelayBench.To(_dead.Address));
        await dead.SubmitAsync(1, "a@x.test");
        var settled = (await dead.SettledAsync(1))[0];
        Assert.Equal(RelayFailure.ConnectionRefused, settled.Cause);
        var line = new JsonFormatter().Format(settled, default);
        Assert.Contains("\"cause\":\"connection_refused\",\"fault\":\"network\"", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SIZE 5", "a@x.test", "hello", RelayFailure.TooLarge)]
    [InlineData("PIPELINING", "a@x.test", "hello \u00e4", RelayFailure.EightBitNotSupported)]
    public async Task What_a_host_cannot_carry_has_a_cause_of_its_own(string offer, string to, string body, RelayFailure cause)
    {
        _hop.Extensions = [offer];
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, StoreSamples.Record(to), "Subject: x\r\n\r\n" + body + "\r\n");
        Assert.Equal(cause, (await bench.SettledAsync(1))[0].Cause);
    }

    [Fact]
    public async Task A_probe_asks_each_host_sends_no_mail_and_says_QUIT()
    {
        var options = new ServerOptions { Hostname = "smtp.acme.test", Data = "/nowhere" };
        var route = RelayBench.To(_dead.Address, _hop.Address);
        var results = await RouteProbe.RunAsync(options, route, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal([RelayFailure.ConnectionRefused, RelayFailure.None], results.Select(result => result.Failure));
        Assert.Equal([_dead.Address.ToString(), _hop.Address.ToString()], results.Select(result => result.Host.ToString()));
        Assert.Equal(["1 connect", "1 EHLO smtp.acme.test", "1 QUIT"], _hop.Heard);
    }

    [Theory]
    [InlineData(RelayTls.Verify, null, RelayFailure.TlsNotOffered)]
    [InlineData(RelayTls.Encrypt, "jane", RelayFailure.LoginNotOffered)]
    public async Task A_probe_says_what_the_route_demands_and_does_not_get(RelayTls tls, string? login, RelayFailure cause)
    {
        _hop.Certificate = login is null ? null : HopCertificate.For("hop.test");
        var options = new ServerOptions { Hostname = "smtp.acme.test", Data = "/nowhere" };
        var route = RelayBench.To(_hop) with { Tls = tls, Login = login, Password = "secret" };
        var results = await RouteProbe.RunAsync(options, route, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(cause, Assert.Single(results).Failure);
    }

    /// <summary>Doctor's advice, the back-off and the log's "fault" hang on it: every cause has an owner on purpose.</summary>
    [Fact]
    public void Every_cause_says_whose_fault_it_is()
    {
        var owners = Enum.GetValues<RelayFailure>().ToLookup(failure => failure.FaultOf());
        Assert.Equal([RelayFailure.None, RelayFailure.Greylisted, RelayFailure.WaitsForRoom], owners[RelayFault.Nobody]);
        Assert.Equal(
            [
                RelayFailure.SenderRejected, RelayFailure.RecipientRejected, RelayFailure.RecipientDeferred, RelayFailure.ContentRejected,
                RelayFailure.ContentDeferred, RelayFailure.TooLarge, RelayFailure.EightBitNotSupported, RelayFailure.SmtpUtf8NotSupported,
            ],
            owners[RelayFault.Message]);
        Assert.Equal(
            [
                RelayFailure.TlsNotOffered, RelayFailure.CertificateMissing, RelayFailure.CertificateWrongName,
                RelayFailure.CertificateNotTrusted, RelayFailure.LoginNotOffered, RelayFailure.CredentialsRejected, RelayFailure.LoginDemanded,
                RelayFailure.NoRoute,
            ],
            owners[RelayFault.Route]);
    }
}

using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Admin.Doctor;
using Sallyport.Server.Admin.Handlers;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Relay;
using Sallyport.Server.Routing;
using Xunit;

namespace Sallyport.Tests.Server.Admin;

/// <summary>Each finding of doctor has its code, its state and its facts.</summary>
public sealed class DoctorTests
{
    private const string Host = "smtp.acme.test";

    private static readonly DateTimeOffset Now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    private static readonly ServerOptions Options = new() { Hostname = Host, Data = "/nowhere" };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(-30, 60, Host, "certificate.ok", "ok")]
    [InlineData(-30, 14, Host, "certificate.ok", "ok")]
    [InlineData(-30, 13, Host, "certificate.expires_soon", "warning")]
    [InlineData(-30, 13, "mx.acme.test", "certificate.other_name", "warning")]
    [InlineData(-30, -1, "mx.acme.test", "certificate.expired", "error")]
    [InlineData(1, 60, Host, "certificate.not_yet_valid", "error")]
    public void A_certificate_is_looked_at_by_its_days_and_its_name(int from, int until, string name, string code, string state)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(Now.AddDays(from), Now.AddDays(until));
        var finding = FileChecks.Evaluate(certificate, Host, Now);
        Assert.Equal((code, state), (finding.Code, finding.State));
        Assert.Equal(Now.AddDays(until).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), finding.Facts["until"]);
    }

    [Theory]
    [InlineData(RelayFailure.CertificateWrongName, "route.certificate_wrong_name", "tls_name")]
    [InlineData(RelayFailure.CertificateNotTrusted, "route.certificate_not_trusted", "tls_ca")]
    [InlineData(RelayFailure.ConnectionRefused, "route.connection_refused", "451 4.4.1 No")]
    public void A_next_hop_that_fails_has_its_cause_as_code_and_what_helps_behind_its_reply(RelayFailure failure, string code, string said)
    {
        var finding = RouteChecks.Of("route 1", Probe(failure, new Reply(451, new(4, 4, 1), "No"), ""));
        Assert.Equal((code, "error"), (finding.Code, finding.State));
        Assert.Contains(said, finding.Detail);
    }

    [Theory]
    [InlineData("TLSv1.3, TLS_AES_256_GCM_SHA384", "route.ok", "ok")]
    [InlineData("", "route.no_tls", "warning")]
    public void A_next_hop_that_answers_without_TLS_is_a_warning(string tls, string code, string state)
    {
        var finding = RouteChecks.Of("route 1", Probe(RelayFailure.None, null, tls));
        Assert.Equal((code, state), (finding.Code, finding.State));
    }

    [Fact]
    public void Nobody_who_can_log_in_is_a_warning_unless_another_directory_knows_people()
    {
        Assert.Equal("accounts.none", ServerChecks.Accounts(Options, []).Code);
        Assert.Equal("accounts.all_disabled", ServerChecks.Accounts(Options, [new("jane", [], true, Now)]).Code);
        Assert.Equal("accounts.ok", ServerChecks.Accounts(Options, [new("jane", [], false, Now)]).Code);
        var others = Options with { Directories = [new HashesDirectoryOptions("old", "/nowhere/old")] };
        Assert.Equal("accounts.ok", ServerChecks.Accounts(others, []).Code);
    }

    [Fact]
    public async Task A_listener_nobody_listens_at_is_an_error_with_its_address()
    {
        using var free = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var address = (IPEndPoint)free.LocalEndpoint;
        Assert.Equal("listener.ok", (await CheckAsync(address)).Code);
        free.Stop();
        var finding = await CheckAsync(address);
        Assert.Equal(("listener.unreachable", address.ToString()), (finding.Code, finding.Facts["address"]));
    }

    [Fact]
    public void Mail_cannot_be_kept_below_a_file()
    {
        var file = Path.GetTempFileName();
        Assert.Equal($"{file} is a file", FileChecks.MaildirError(file + "/capture"));
        File.Delete(file);
        Assert.Null(FileChecks.MaildirError(file));
    }

    [Fact]
    public async Task Without_a_store_the_rest_is_looked_at_and_a_configuration_checked()
    {
        await using var door = LocalAdmin.WithoutStore("another Sallyport uses it", TimeProvider.System);
        var text = new ConfigurationText("/nowhere/x.toml", "hostname = 1\n");
        Assert.False((await door.CallAsync(ConfigurationOperations.Check, text, Cancel)).Valid);
        var refused = await Assert.ThrowsAsync<AdminRefusedException>(
            () => door.CallAsync(StatusOperations.Show, EmptyRequest.Instance, Cancel).AsTask());
        Assert.Equal(AdminCodes.UnknownOperation, refused.Answer.Code);
        var findings = new List<Finding>();
        await foreach (var finding in new DoctorRun(Options, null, "another Sallyport uses it", TimeProvider.System).RunAsync(Cancel))
        {
            findings.Add(finding);
        }

        Assert.Contains(findings, finding => finding is { Code: "store.unavailable", State: "error", Detail: "another Sallyport uses it" });
    }

    private static Task<Finding> CheckAsync(IPEndPoint address) =>
        ServerChecks.ListenerAsync(new ListenerOptions(address, ListenerTls.None), TimeProvider.System, Cancel);

    private static ProbeResult Probe(RelayFailure failure, Reply? reply, string tls) =>
        new(new HostKey("relay.example", 587), failure, reply, tls, "");
}

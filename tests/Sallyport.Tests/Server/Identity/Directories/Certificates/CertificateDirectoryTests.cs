using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Hosting;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.Chain;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Certificates;
using Sallyport.Server.Identity.Directories.Oidc;
using Sallyport.Server.Telemetry;
using Sallyport.Store.Memory;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Certificates;

/// <summary>From certificate to login, and what the service makes of tokens and certificates.</summary>
public sealed class CertificateDirectoryTests : IDisposable
{
    private static readonly string Fingerprint = string.Concat(Enumerable.Repeat("AB", 32));

    private static readonly ClientCertificate Jane = new(
        "CN=Jane Doe", "Jane Doe", ["Jane@acme.test", "jane.doe@acme.test"], ["jdoe@corp.test"], "0A1B", Fingerprint);

    private readonly string _folder = Directory.CreateTempSubdirectory("sallyport-cert-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(CertificateLogin.Email, null, "jane@acme.test")]
    [InlineData(CertificateLogin.Email, "jane.doe@acme.test", "jane.doe@acme.test")]
    [InlineData(CertificateLogin.PrincipalName, null, "jdoe@corp.test")]
    [InlineData(CertificateLogin.CommonName, null, "jane doe")]
    [InlineData(CertificateLogin.CommonName, "jane doe", "jane doe")]
    [InlineData(CertificateLogin.FingerprintTable, null, "jane/acme")]
    public async Task The_login_comes_from_where_the_configuration_says(CertificateLogin from, string? wanted, string login)
    {
        var table = Write("table", $"# ours\n\n{string.Join(':', Enumerable.Repeat("ab", 32))} Jane/Acme\n");
        var directory = new CertificateDirectory(new("certs") { LoginFrom = from, FingerprintFile = table });
        var granted = Assert.IsType<LoginVerdict.Granted>(await directory.CheckCertificateAsync(Jane, wanted, Cancel));
        Assert.Equal(login, granted.Entry.Login);
        Assert.Contains("jane@acme.test", granted.Entry.Addresses);
        Assert.Contains("jane.doe@acme.test", granted.Entry.Addresses);
    }

    [Fact]
    public async Task No_certificate_acts_for_another_login()
    {
        var directory = new CertificateDirectory(new("certs"));
        Assert.IsType<LoginVerdict.Denied>(await directory.CheckCertificateAsync(Jane, "boss@acme.test", Cancel));
        Assert.Equal(LoginReason.UnknownLogin, (await directory.CheckCertificateAsync(Jane with { Emails = [] }, null, Cancel)).Reason);
        Assert.Equal(LoginReason.UnknownLogin, (await directory.CheckCertificateAsync(Jane with { Emails = [] }, "jane@acme.test", Cancel)).Reason);
    }

    [Theory]
    [InlineData("JANE@acme.test")]
    [InlineData("serial:0a:1b")]
    [InlineData("SHA256:abababababababababababababababababababababababababababababababab")]
    public async Task Who_is_on_the_disabled_list_is_out_as_soon_as_it_is_written(string line)
    {
        var file = Write("disabled", "# none yet\n");
        var directory = new CertificateDirectory(new("certs") { DisabledFile = file });
        Assert.IsType<LoginVerdict.Granted>(await directory.CheckCertificateAsync(Jane, null, Cancel));
        Write("disabled", "bob@acme.test\n" + line + "\n");
        Assert.Equal(LoginReason.Disabled, (await directory.CheckCertificateAsync(Jane, null, Cancel)).Reason);
    }

    [Fact]
    public async Task A_list_that_cannot_be_read_lets_nobody_in_and_is_454()
    {
        var directory = new CertificateDirectory(new("certs") { DisabledFile = Write("disabled", "jane@acme.test") });
        File.Delete(Path.Combine(_folder, "disabled"));
        var verdict = await Service(directory).CheckCertificateAsync(Attempt(""), Jane, Cancel);
        Assert.IsType<LoginVerdict.Unavailable>(verdict);
        Assert.Contains("disabled", verdict.Why);
        Assert.Contains("fingerprint", new CertificateDirectory(
            new("certs") { LoginFrom = CertificateLogin.FingerprintTable, FingerprintFile = Write("table", "nonsense") }).Diagnose());
    }

    [Fact]
    public async Task Another_directory_says_what_a_vouched_login_may_use_and_whether_it_may_at_all()
    {
        var directory = new CertificateDirectory(new("certs") { LookUpIn = "people" });
        var people = new People { Answer = new LoginVerdict.Granted(new("CN=Jane", "people", ["sales@acme.test"], ["staff"])) };
        var service = Service(people, directory);
        var granted = Assert.IsType<LoginVerdict.Granted>(await service.CheckCertificateAsync(Attempt(""), Jane, Cancel));
        Assert.Equal(("CN=Jane", "people", "jane@acme.test"), (granted.Grant.Login, granted.Grant.Directory, granted.Grant.AskedAs));
        Assert.Equal(["sales@acme.test"], granted.Grant.Addresses.ToArray());
        Assert.Equal(["jane@acme.test"], people.Asked);
        people.Answer = new LoginVerdict.Denied(LoginReason.Disabled);
        Assert.Equal(LoginReason.Disabled, (await service.CheckCertificateAsync(Attempt(""), Jane, Cancel)).Reason);
        people.Answer = new LoginVerdict.Unavailable("down");
        Assert.IsType<LoginVerdict.Unavailable>(await service.CheckCertificateAsync(Attempt(""), Jane, Cancel));
        people.Answer = new LoginVerdict.Denied(LoginReason.UnknownLogin);
        var verdict = await service.CheckCertificateAsync(Attempt(""), Jane, Cancel);
        Assert.IsType<LoginVerdict.Denied>(verdict);
        Assert.Contains("does not know", verdict.Why);
    }

    [Fact]
    public async Task A_token_nobody_takes_and_a_name_that_is_none_are_wrong()
    {
        using var oidc = new OidcDirectory(new("acme") { Issuer = "https://id.acme.test", Audiences = new(["x"]) }, TimeProvider.System);
        var verdict = await Service(oidc).CheckTokenAsync(Attempt("jane"), "opaque", Cancel);
        Assert.IsType<LoginVerdict.Denied>(verdict);
        Assert.Contains("no directory takes this token", verdict.Why);
        Assert.Equal("not a login", (await Service(oidc).CheckTokenAsync(Attempt(" "), "opaque", Cancel)).Why);
        Assert.Equal("not a login", (await Service(oidc).CheckCertificateAsync(Attempt("\u0001"), Jane, Cancel)).Why);
        Assert.Equal(LoginReason.CertificateUnknown, (await Service().CheckCertificateAsync(Attempt(""), Jane, Cancel)).Reason);
    }

    [Fact]
    public void Mechanisms_are_offered_where_a_directory_can_judge_them()
    {
        using var oidc = new OidcDirectory(new("acme") { Issuer = "https://id.acme.test" }, TimeProvider.System);
        IDirectory[] both = [oidc, new CertificateDirectory(new("certs"))];
        Assert.Equal(["EXTERNAL", "OAUTHBEARER", "XOAUTH2"], OfferedMechanisms.Of(both, []).ToArray());
        Assert.Equal(["XOAUTH2"], OfferedMechanisms.Of(both, ["XOAUTH2", "PLAIN"]).ToArray());
        Assert.Empty(OfferedMechanisms.Of([new People()], []));
        Assert.Contains(SaslServer.External, SaslServer.All);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static LoginAttempt Attempt(string login) => new("S", IPAddress.Loopback, "EXTERNAL", login);

    private static IdentityService Service(params ImmutableArray<IDirectory> directories) =>
        SiteServices.OpenAsync(new MemoryStore(), Options, new SilentLog(), TimeProvider.System, Cancel).GetAwaiter().GetResult()
            .NewSnapshot(Options, null, directories).Identity;

    private static ServerOptions Options => new() { Hostname = "smtp.acme.test", Data = "/nowhere" };

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>A directory that only looks up.</summary>
    private sealed class People : IDirectory
    {
        public LoginVerdict Answer { get; set; } = new LoginVerdict.Denied(LoginReason.UnknownLogin);

        public List<string> Asked { get; } = [];

        public string Name => "people";

        public ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel)
        {
            Asked.Add(login);
            return new(Answer);
        }
    }
}

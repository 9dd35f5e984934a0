using Sallyport.Server.Configuration;
using Xunit;

namespace Sallyport.Tests.Server.Configuration;

/// <summary>[[directory]] of type oidc and certificate, and the keys around client certificates.</summary>
public sealed class OidcReaderTests : IDisposable
{
    private readonly SiteFolder _site = new();

    public OidcReaderTests()
    {
        _site.Issue("ca", DateTimeOffset.UtcNow.AddDays(30));
        foreach (var name in (string[])["crl.pem", "table", "secret"])
        {
            _site.Write(name, "s3cret\n");
        }
    }

    [Fact]
    public void An_issuer_is_read_with_all_its_keys()
    {
        var oidc = Assert.IsType<OidcDirectoryOptions>(Assert.Single(Load("""
            [[directory]]
            type = "oidc"
            name = "keycloak"
            issuer = "https://id.acme.test/realms/acme"
            audience = ["sallyport", "mail"]
            scope = "openid smtp"
            login_claim = "preferred_username"
            groups_claim = "groups"
            address_claims = ["email", "aliases"]
            email_verified = false
            algorithms = ["RS256"]
            clock_skew = "10s"
            timeout = "2s"
            lookup = "local"
            """).Directories));
        Assert.Equal(["sallyport", "mail"], oidc.Audiences);
        Assert.Equal(["openid", "smtp"], oidc.Scopes);
        Assert.Equal(("preferred_username", "groups", false, "local"), (oidc.LoginClaim, oidc.GroupsClaim, oidc.VerifiedEmail, oidc.LookUpIn));
        Assert.Equal(["RS256"], oidc.Algorithms);
    }

    [Fact]
    public void Unchanged_options_are_equal_and_never_print_the_secret()
    {
        const string Text = """
            [[directory]]
            type = "oidc"
            issuer = "https://id.acme.test"
            judge = "introspection"
            client_id = "sallyport"
            client_secret_file = "secret"
            scope = ["a", "b"]
            """;
        var (one, two) = (Load(Text).Directories[0], Load(Text).Directories[0]);
        Assert.Equal(one, two);
        Assert.Equal(one.GetHashCode(), two.GetHashCode());
        Assert.NotEqual(one, Load(Text.Replace("\"b\"", "\"c\"")).Directories[0]);
        Assert.Equal("s3cret", ((OidcDirectoryOptions)one).ClientSecret);
        Assert.DoesNotContain("s3cret", one.ToString());
    }

    [Fact]
    public void Listeners_ask_for_certificates_where_there_is_an_authority()
    {
        var options = Load("""
            [[directory]]
            type = "certificate"
            login_from = "fingerprint"
            fingerprint_file = "table"
            """, "client_ca = \"ca.crt\"\nclient_crl = \"crl.pem\"");
        Assert.All(options.Listeners, listener => Assert.Equal(ClientCertificates.Optional, listener.ClientCertificates));
        Assert.EndsWith("crl.pem", options.Tls!.ClientCrl);
        Assert.Equal(ClientCertificates.None, Load("").Listeners[0].ClientCertificates);
        Assert.Equal(ClientCertificates.Required, With("required"));
        Assert.Equal(ClientCertificates.None, With("none"));

        ClientCertificates With(string word) =>
            Load("", "client_ca = \"ca.crt\"", $"client_certificates = \"{word}\"").Listeners[0].ClientCertificates;
    }

    [Theory]
    [InlineData("type = \"oidc\"\naudience = \"x\"", "directory.issuer: is missing")]
    [InlineData("type = \"oidc\"\naudience = \"x\"\nissuer = \"http://id.acme.test\"", "http:// to loopback only")]
    [InlineData("type = \"oidc\"\naudience = \"x\"\nissuer = \"https://id.acme.test/?a=b\"", "is not an issuer")]
    [InlineData("type = \"oidc\"\nissuer = \"https://id.acme.test\"", "directory.audience: is missing")]
    [InlineData("type = \"oidc\"\nissuer = \"https://id.acme.test\"\naudience = \"x\"\nalgorithms = [\"HS256\"]", "\"HS256\" is not taken")]
    [InlineData("type = \"oidc\"\nissuer = \"https://id.acme.test\"\naudience = \"x\"\nalgorithms = [\"none\"]", "\"none\" is not taken")]
    [InlineData("type = \"oidc\"\nissuer = \"https://id.acme.test\"\njudge = \"introspection\"", "needs client_id")]
    [InlineData("type = \"oidc\"\nissuer = \"https://id.acme.test\"\naudience = \"x\"\nclient_id = \"y\"",
        "only valid with judge = \"introspection\"")]
    [InlineData("type = \"oidc\"\nissuer = \"https://id.acme.test\"\naudience = \"x\"\nclient_secret = \"y\"", "must not be in the configuration")]
    [InlineData("type = \"oidc\"\nissuer = \"https://id.acme.test\"\naudience = \"x\"\nlookup = \"locale\"", "did you mean \"local\"?")]
    [InlineData("type = \"oidc\"\nissuer = \"https://id.acme.test\"\naudience = \"x\"\nlogin_claims = \"y\"", "did you mean \"login_claim\"?")]
    [InlineData("type = \"certificate\"", "needs client_ca")]
    [InlineData("type = \"certificate\"\nlogin_from = \"fingerprint\"", "fingerprint_file: is missing")]
    [InlineData("type = \"certificate\"\nfingerprint_file = \"table\"", "is only valid with login_from")]
    public void Mistakes_are_shown_with_what_is_right(string directory, string message) =>
        Assert.Contains(Problems("[[directory]]\n" + directory), problem => problem.Contains(message, StringComparison.Ordinal));

    [Theory]
    [InlineData("", "client_certificates = \"optional\"", "need client_ca")]
    [InlineData("client_crl = \"crl.pem\"", "", "is only valid with client_ca")]
    [InlineData("client_ca = \"nowhere.pem\"", "", "there is no file")]
    public void Mistakes_around_certificates_too(string tls, string listener, string message) =>
        Assert.Contains(Problems("", tls, listener), problem => problem.Contains(message, StringComparison.Ordinal));

    public void Dispose() => _site.Dispose();

    private ServerOptions Load(string directories, string tls = "", string listener = "") =>
        Assert.IsType<ConfigurationResult.Loaded>(Parse(directories, tls, listener)).Options;

    private string[] Problems(string directories, string tls = "", string listener = "") =>
        [.. Assert.IsType<ConfigurationResult.Invalid>(Parse(directories, tls, listener)).Problems.Select(problem => problem.ToString())];

    private ConfigurationResult Parse(string directories, string tls, string listener) => BothSources.Parse(
        _site.File, $"""
            hostname = "smtp.acme.test"
            data = "data"
            [[listener]]
            address = "127.0.0.1:5870"
            tls = "starttls"
            {listener}
            [tls]
            certificate = "tls.crt"
            key = "tls.key"
            {tls}
            [[route]]
            recipients = ["*"]
            capture = "capture"
            {directories}
            """);
}

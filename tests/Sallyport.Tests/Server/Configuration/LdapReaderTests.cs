using Sallyport.Server.Configuration;
using Xunit;

namespace Sallyport.Tests.Server.Configuration;

public sealed class LdapReaderTests
{
    [Fact]
    public void A_preset_needs_no_more_than_a_server()
    {
        var options = Read("""
            preset = "domino"
            url = ["ldaps://a.acme.test", "ldaps://[2001:db8::1]:1636"]
            """);
        Assert.Equal(["ldaps://a.acme.test:636", "ldaps://[2001:db8::1]:1636"], options.Servers.Select(server => server.ToString()));
        Assert.Equal("", options.Base);
        Assert.DoesNotContain("uid", options.UserFilter);
        Assert.Equal("dominoAccessGroups", options.GroupAttribute);
    }

    [Fact]
    public void Read_again_without_a_change_it_is_equal_and_one_key_makes_it_another()
    {
        const string Text = """
            preset = "active-directory"
            url = ["ldaps://a.acme.test", "ldaps://b.acme.test"]
            base = "dc=acme,dc=test"
            address_attributes = ["mail"]
            """;
        Assert.Equal(Read(Text), Read(Text));
        Assert.Equal(Read(Text).GetHashCode(), Read(Text).GetHashCode());
        Assert.NotEqual(Read(Text), Read(Text.Replace("[\"mail\"]", "[\"mail\", \"proxyAddresses\"]")));
        Assert.NotEqual(Read(Text), Read(Text.Replace("//b.", "//c.")));
        Assert.NotEqual(Read(Text), Read(Text + "\ntimeout = \"3s\""));
    }

    [Theory]
    [InlineData("url = \"ldap://dc.acme.test\"\npreset = \"domino\"", "would carry passwords in clear")]
    [InlineData("url = \"ldaps://dc.acme.test\"\npreset = \"domino\"\nstarttls = true", "contradicts")]
    [InlineData("url = \"http://dc.acme.test\"\npreset = \"domino\"", "is not an LDAP server")]
    [InlineData("url = \"ldaps://dc.acme.test/o=Acme\"\npreset = \"domino\"", "says more than the server")]
    [InlineData("preset = \"domino\"", "directory.url: is missing")]
    [InlineData("url = \"ldaps://dc.acme.test\"", "directory.user_filter: is missing")]
    [InlineData("url = \"ldaps://dc.acme.test\"\nuser_filter = \"(uid=x)\"", "has no {login} in it")]
    [InlineData("url = \"ldaps://dc.acme.test\"\nuser_filter = \"(uid={login})(x=y)\"", "is not a filter")]
    [InlineData("url = \"ldaps://dc.acme.test\"\nuser_filter = \"(&(uid={login})\"", "is not a filter")]
    [InlineData("url = \"ldaps://dc.acme.test\"\npreset = \"openldap\"\nlogin_names = \"more\"", "is only valid with preset = \"domino\"")]
    [InlineData("url = \"ldaps://dc.acme.test\"\npreset = \"domino\"\nbind_dn = \"CN=x\"", "directory.password_file: is missing")]
    [InlineData("url = \"ldaps://dc.acme.test\"\npreset = \"domino\"\npassword = \"x\"", "must not be in the configuration")]
    [InlineData("url = \"ldaps://dc.acme.test\"\npreset = \"dominos\"", "did you mean \"domino\"?")]
    [InlineData("url = \"ldaps://dc.acme.test\"\npreset = \"domino\"\nuser_filtre = \"x\"", "did you mean \"user_filter\"?")]
    [InlineData("url = \"ldap://127.0.0.1\"\npreset = \"domino\"\ntls_ca = \"/dev/null\"", "is only valid with ldaps://")]
    public void A_mistake_is_named_with_what_is_right(string keys, string message)
    {
        var result = Assert.IsType<ConfigurationResult.Invalid>(Parse(keys));
        Assert.Contains(result.Problems, problem => problem.ToString().Contains(message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("url = \"ldaps://dc.acme.test\"\npreset = \"openldap\"", "directory.base: is not set")]
    [InlineData("url = \"ldaps://dc.acme.test\"\npreset = \"active-directory\"\nbase = \"dc=x\"", "directory.bind_dn: is not set")]
    [InlineData("url = \"ldaps://localhost\"\npreset = \"domino\"", "the machine's own host name")]
    public void What_is_probably_not_meant_is_a_warning(string keys, string message)
    {
        var result = Assert.IsType<ConfigurationResult.Loaded>(Parse(keys));
        Assert.Contains(result.Warnings, problem => problem.ToString().Contains(message, StringComparison.Ordinal));
    }

    private static LdapDirectoryOptions Read(string keys) =>
        (LdapDirectoryOptions)Assert.IsType<ConfigurationResult.Loaded>(Parse(keys)).Options.Directories[0];

    private static ConfigurationResult Parse(string keys) => BothSources.Parse("/tmp/sallyport.toml", $"""
        hostname = "smtp.acme.test"
        data = "/tmp/data"
        [[listener]]
        address = "127.0.0.1:587"
        tls = "none"
        [[route]]
        recipients = ["*"]
        smarthost = "inner.acme.test"
        [[directory]]
        type = "ldap"
        {keys}
        """);
}

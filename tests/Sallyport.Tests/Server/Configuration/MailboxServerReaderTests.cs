using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Directories.Servers;
using Xunit;

namespace Sallyport.Tests.Server.Configuration;

public sealed class MailboxServerReaderTests
{
    [Theory]
    [InlineData("type = \"imap\"\nurl = \"imaps://mail.acme.test\"", "mail.acme.test:993 tls")]
    [InlineData("type = \"imap\"\nurl = \"imap://mail.acme.test\"", "mail.acme.test:143")]
    [InlineData("type = \"imap\"\nurl = \"imaps://[2001:db8::1]:1993\"", "[2001:db8::1]:1993 tls")]
    [InlineData("type = \"imap\"\nurl = \"imap://127.0.0.1\"\ntls = \"none\"", "127.0.0.1:143")]
    [InlineData("type = \"pop3\"\nurl = [\"pop3s://a.test\", \"pop3://b.test:1110\"]", "a.test:995 tls, b.test:1110")]
    [InlineData("type = \"dovecot\"\nsocket = \"/run/dovecot/auth\"", "/run/dovecot/auth")]
    [InlineData("type = \"dovecot\"\nsocket = [\"tcp://127.0.0.1:9100\", \"tls://mail.test:9101\"]\ntls_name = \"x.test\"",
        "127.0.0.1:9100, mail.test:9101 tls")]
    [InlineData("type = \"dovecot\"\nsocket = \"tcp://10.0.0.5:9100\"\nclear = true", "10.0.0.5:9100")]
    public void Servers_are_read(string entry, string servers)
    {
        var options = Loaded(entry);
        var read = options is MailboxDirectoryOptions mailbox ? mailbox.Servers : ((DovecotDirectoryOptions)options).Servers;
        Assert.Equal(servers, string.Join(", ", read.Select(server => server + (server.ImplicitTls ? " tls" : ""))));
        Assert.Equal(options, Loaded(entry));
        Assert.NotEqual(options, Loaded(entry + "\ntimeout = \"7s\""));
    }

    [Fact]
    public void Dovecots_userdb_is_read_as_its_socket_is()
    {
        const string Entry = "type = \"dovecot\"\nsocket = \"/run/auth\"\nuserdb = [\"/run/auth-userdb\", \"tls://mail.test:9102\"]";
        var options = (DovecotDirectoryOptions)Loaded(Entry);
        Assert.Equal("/run/auth-userdb, mail.test:9102", string.Join(", ", options.UserServers));
        Assert.NotEqual<DirectoryOptions>(options, Loaded(Entry.Replace("9102", "9103", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("type = \"imap\"", "url", "is missing; for example url = \"imaps://mail.acme.test\"")]
    [InlineData("type = \"imap\"\nurl = \"mail.acme.test\"", "url", "is not such a server; \"imaps://mail.acme.test\" is")]
    [InlineData("type = \"imap\"\nurl = \"imapz://mail.acme.test\"", "url", "did you mean \"imap")]
    [InlineData("type = \"pop3\"\nurl = \"imaps://mail.acme.test\"", "url", "\"pop3s://mail.acme.test\" is")]
    [InlineData("type = \"imap\"\nurl = \"imaps://jane@mail.acme.test/INBOX\"", "url", "only host and port belong here")]
    [InlineData("type = \"imap\"\nurl = \"imap://mail.acme.test\"\ntls = \"none\"", "tls", "is for loopback addresses only")]
    [InlineData("type = \"imap\"\nurl = \"imaps://localhost\"\ntls = \"none\"", "tls", "contradicts imaps://")]
    [InlineData("type = \"imap\"\nurl = \"imap://localhost\"\ntls = \"none\"\ntls_name = \"x\"", "tls_name", "is only valid with")]
    [InlineData("type = \"imap\"\nurl = \"imaps://a.test\"\ntls_ca = \"/nowhere.pem\"", "tls_ca", "there is no file /nowhere.pem")]
    [InlineData("type = \"imap\"\nurl = \"imaps://a.test\"\ntimeout = \"2m\"", "timeout", "must be a time from 1s to 28s")]
    [InlineData("type = \"imap\"\nurl = \"imaps://a.test\"\ndomain = \"not a domain\"", "domain", "is not a domain name")]
    [InlineData("type = \"imap\"\nurl = \"imaps://a.test\"\naddress_template = \"info@acme.test\"", "address_template", "everybody the same address")]
    [InlineData("type = \"imap\"\nurl = \"imaps://a.test\"\naddress_template = \"{user}@acme.test\"", "address_template", "everybody the same")]
    [InlineData("type = \"imap\"\nurl = \"imaps://a.test\"\naddress_template = \"{local}\"", "address_template", "makes no address")]
    [InlineData("type = \"imap\"\nurl = \"imaps://a.test\"\nsocket = \"/x\"", "socket", "is not known")]
    [InlineData("type = \"dovecot\"", "socket", "is missing")]
    [InlineData("type = \"dovecot\"\nsocket = \"tcp://10.0.0.5:9100\"", "socket", "would carry passwords in clear")]
    [InlineData("type = \"dovecot\"\nsocket = \"tcp://127.0.0.1\"", "socket", "needs a port")]
    [InlineData("type = \"dovecot\"\nsocket = \"/x\"\nuserdb = \"tcp://10.0.0.5:9100\"", "userdb", "would carry who exists in clear")]
    [InlineData("type = \"dovecot\"\nsocket = \"/x\"\nuserdb = \"tls://a.test\"", "userdb", "needs a port")]
    [InlineData("type = \"imap\"\nurl = \"imaps://a.test\"\nuserdb = \"/x\"", "userdb", "is not known")]
    [InlineData("type = \"dovecot\"\nsocket = \"/x\"\ntls_name = \"x\"", "tls_name", "is only valid with tls://")]
    [InlineData("type = \"dovecot\"\nsocket = \"/x\"\nservice = \"a b\"", "service", "is not a name of a service")]
    [InlineData("type = \"imaps\"\nurl = \"imaps://a.test\"", "type", "did you mean \"imap\"?")]
    public void A_mistake_is_named_with_its_key(string entry, string key, string message) => Assert.Contains(
        Assert.IsType<ConfigurationResult.Invalid>(Parse(entry)).Problems,
        problem => problem.ToString().Contains($"directory.{key}", StringComparison.Ordinal)
            && problem.ToString().Contains(message, StringComparison.Ordinal));

    [Theory]
    [InlineData("jane@acme.test", "", "jane@acme.test", "jane@acme.test")]
    [InlineData("jane", "", "jane", "")]
    [InlineData("jane", "domain = \"Acme.test\"", "jane@acme.test", "jane@acme.test")]
    [InlineData("jane@b.test", "domain = \"acme.test\"", "jane@b.test", "jane@b.test")]
    [InlineData("jane doe", "domain = \"acme.test\"", "jane doe@acme.test", "")]
    [InlineData("jane", "address_template = \"{login}@acme.test\"", "jane", "jane@acme.test")]
    [InlineData("jane@b.test", "address_template = [\"{local}@acme.test\", \"{local}.{domain}@c.test\"]", "jane@b.test",
        "jane@b.test jane@acme.test jane.b.test@c.test")]
    [InlineData("jane", "address_template = \"{local}@{domain}\"", "jane", "")]
    [InlineData("jane@b.test", "login_is_address = false\naddress_template = \"{local}@acme.test\"", "jane@b.test", "jane@acme.test")]
    public void Addresses_come_from_the_login(string login, string keys, string whole, string addresses)
    {
        var options = (MailboxDirectoryOptions)Loaded("type = \"imap\"\nurl = \"imaps://a.test\"\n" + keys);
        var entry = LoginNames.ToEntry(login, "imap", options.Addresses);
        Assert.Equal(whole, entry.Login);
        Assert.Equal(addresses, string.Join(' ', entry.Addresses));
    }

    private static DirectoryOptions Loaded(string entry) =>
        Assert.Single(Assert.IsType<ConfigurationResult.Loaded>(Parse(entry)).Options.Directories);

    private static ConfigurationResult Parse(string entry) => BothSources.Parse("/etc/sallyport/sallyport.toml", $"""
        hostname = "smtp.acme.test"
        data = "/nowhere"
        [[listener]]
        address = "127.0.0.1:587"
        tls = "none"
        [[route]]
        recipients = ["*"]
        capture = "/nowhere"
        [[directory]]
        {entry}
        """);
}

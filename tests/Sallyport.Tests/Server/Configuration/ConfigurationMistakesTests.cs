using Sallyport.Server.Configuration;
using Xunit;

namespace Sallyport.Tests.Server.Configuration;

/// <summary>Mistakes of a configuration with files: each is told once, at its line.</summary>
public sealed class ConfigurationMistakesTests : IDisposable
{
    private readonly SiteFolder _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public void A_right_configuration_has_neither_mistakes_nor_doubts()
    {
        Assert.IsType<ConfigurationResult.Loaded>(_site.Load());
        Assert.Empty(_site.Warnings());
    }

    [Fact]
    public void A_key_that_does_not_fit_is_told_beside_a_misspelt_one()
    {
        _site.Issue("other", DateTimeOffset.UtcNow.AddDays(30));
        var told = _site.Problems("key = \"tls.key\"", "key = \"other.key\"", "conections_max = 3\n");
        Assert.Equal(
            ["8: tls.key: /other.key is not the key of /tls.crt",
                "12: route.conections_max: is not known in [route]; did you mean \"connections_max\"?"], told);
    }

    [Theory]
    [InlineData("0.0.0.0:5587")]
    [InlineData("[::]:5587")]
    public void Listeners_that_overlap_are_a_mistake(string address)
    {
        var problem = Assert.Single(_site.Problems(more: $"[[listener]]\naddress = \"{address}\"\ntls = \"starttls\"\n"));
        Assert.StartsWith($"13: listener.address: {address} overlaps with 127.0.0.1:5587 in line 4", problem);
    }

    [Fact]
    public void The_same_listener_twice_is_told_once() => Assert.Equal(
        ["13: listener.address: 127.0.0.1:5587 is there twice; the first time in line 4"],
        _site.Problems(more: "[[listener]]\naddress = \"127.0.0.1:5587\"\ntls = \"starttls\"\n"));

    [Fact]
    public void A_single_bracket_is_told_once() => Assert.Equal(
        ["3: listener: may be there more than once: write [[listener]]"],
        _site.Problems("[[listener]]\naddress = \"127.0.0.1:5587\"",
            "[listener]\naddress = \"127.0.0.1:5465\"\ntls = \"implicit\"\n[listener]\naddress = \"127.0.0.1:5587\""));

    [Fact]
    public void A_table_that_is_there_twice_is_told_with_its_first_line() => Assert.Equal(
        ["12: tls: is there twice; the first time in line 6"], _site.Problems(more: "[tls]\nkey = \"tls.key\"\n"));

    [Fact]
    public void After_an_unclosed_quote_nothing_that_follows_from_it_is_told()
    {
        var problem = Assert.Single(_site.Problems("hostname = \"smtp.acme.test\"", "hostname = \"smtp.acme.test"));
        Assert.StartsWith("1: : not TOML from here on: ", problem);
    }

    [Theory]
    [InlineData("hostname = \"smtp.acme.test\"", "hostname = \"192.0.2.7\"", "1: hostname: \"192.0.2.7\" is an address; give the server's name")]
    [InlineData("data = \"data\"", "data = \"tls.crt/data\"", "2: data: /tls.crt/data cannot be made: /tls.crt is a file")]
    [InlineData("certificate = \"tls.crt\"", "certificate = \"/\"", "7: tls.certificate: / is a directory; name the file in it")]
    [InlineData("certificate = \"tls.crt\"", "certificate = \"tls.key\"", "7: tls.certificate: /tls.key has no certificate in PEM")]
    [InlineData("certificate = \"tls.crt\"", "certificate = \"none\"", "7: tls.certificate: there is no file /none")]
    [InlineData("key = \"tls.key\"", "key = \"tls.crt\"", "8: tls.key: /tls.crt has no private key in PEM")]
    [InlineData("recipients = [\"*\"]", "recipients = [\"*\"]\ntls_ca = \"tls.key\"", "11: route.tls_ca: /tls.key has no certificate in PEM")]
    [InlineData(
        "recipients = [\"*\"]", "recipients = [\"*\"]\nlogin = \"x\"\npassword = \"y\"", "12: route.password: must not be in the configuration")]
    [InlineData("[tls]", "[log]\nfile = \"logs/x.log\"\n[tls]", "7: log.file: there is no directory /logs")]
    [InlineData("[tls]", "[log]\nfile = \"/\"\n[tls]", "7: log.file: / is a directory")]
    [InlineData("[tls]", "[relay]\nretry_first = \"3h\"\n[tls]", "7: relay.retry_first: retry_first (3h) is longer than retry_max (2h)")]
    public void A_mistake_is_told_once_with_its_line(string right, string wrong, string told) =>
        Assert.StartsWith(told, Assert.Single(_site.Problems(right, wrong)));

    [Fact]
    public void A_data_path_too_long_for_its_socket_is_a_mistake() => Assert.Contains(
        "is too long: at most 96 bytes", Assert.Single(_site.Problems("data = \"data\"", $"data = \"{new string('d', 100)}\"")));

    [Fact]
    public void A_tilde_is_a_doubt_since_nobody_expands_it() => Assert.Contains(
        "2: data: \"~\" is not expanded here: this means /~/mail; write the whole path", _site.Warnings("data = \"data\"", "data = \"~/mail\""));

    [Fact]
    public void A_certificate_that_is_over_is_a_doubt()
    {
        _site.Issue("tls", DateTimeOffset.UtcNow.AddDays(-1));
        Assert.Contains("7: tls.certificate: /tls.crt expired ", Assert.Single(_site.Warnings()));
    }

    [Fact]
    public void A_key_everybody_may_read_is_a_doubt()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("files have no mode here");
        }
        else
        {
            File.SetUnixFileMode(_site.Of("tls.key"), (UnixFileMode)0b110_100_100);
        }

        Assert.Equal(["8: tls.key: /tls.key can be read by everybody; chmod 600 it"], _site.Warnings());
    }

    [Fact]
    public void A_hostname_in_another_script_is_said_in_ASCII() => Assert.Equal("xn--bcher-kva.test",
        Assert.IsType<ConfigurationResult.Loaded>(_site.Load("smtp.acme.test\"\ndata", "bücher.test\"\ndata")).Options.Hostname);

    [Fact]
    public void A_file_that_is_none_is_told_in_plain_words()
    {
        string Told(string file) => Assert.Single(Assert.IsType<ConfigurationResult.Invalid>(BothSources.Load(file)).Problems).ToString();
        Assert.Equal("/no/such: cannot be read: there is no directory /no", Told("/no/such"));
        Assert.Equal("/tmp: is a directory; name the file in it", Told("/tmp"));
        Assert.Equal("--config: names no file", Told(""));
    }
}

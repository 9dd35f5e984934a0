using System.Runtime.Versioning;
using Sallyport.Server.Configuration;
using Xunit;

namespace Sallyport.Tests.Server.Configuration;

/// <summary>Every mistake with its line, its key and what is right; all of them at once.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ConfigurationLoaderTests : IDisposable
{
    private const string Good = """
        hostname = "smtp.acme.test"
        data = "data"
        [[listener]]
        address = "127.0.0.1:10587"
        tls = "none"
        [[route]]
        recipients = ["*"]
        smarthost = "inner.acme.test"

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("sallyport-").FullName;

    private string FileName => Path.Combine(_folder, "sallyport.toml");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_smallest_configuration_loads_with_the_defaults()
    {
        var loaded = Load(Good);
        Assert.Empty(loaded.Warnings);
        Assert.Equal(Path.Combine(_folder, "data"), loaded.Options.Data);
        Assert.Equal(new SmarthostAddress("inner.acme.test", 25, false), loaded.Options.Routes[0].Smarthosts[0]);
        Assert.Equal(RelayTls.Verify, loaded.Options.Routes[0].Tls);
        Assert.Equal(new TimeoutOptions(), loaded.Options.Timeouts);
        Assert.Equal(new LimitOptions(), loaded.Options.Limits);
        Assert.Equal(new RelayOptions(), loaded.Options.Relay);
    }

    [Theory]
    [InlineData("[limits]\nmax_mesage_bytes = 1", 10, "limits.max_mesage_bytes", "did you mean \"max_message_bytes\"?")]
    [InlineData("[limit]\nconnections = 1", 9, "limit", "did you mean \"limits\"?")]
    [InlineData("[limits]\nconnections = 0", 10, "limits.connections", "must be a whole number from 1 to 1000000")]
    [InlineData("[limits]\nconnections = \"9\"", 10, "limits.connections", "must be a whole number")]
    [InlineData("[limits]\nconnections = 1\nconnections = 2", 11, "limits.connections", "is set twice; the first time in line 10")]
    [InlineData("[limits]\nmax_message_bytes = \"50 parsecs\"", 10, "limits.max_message_bytes", "with a unit like \"50MiB\"")]
    [InlineData("[timeouts]\ncommand = 5", 10, "timeouts.command", "written like \"90s\"")]
    [InlineData("[timeouts]\ncommand = \"2h\"", 10, "timeouts.command", "from 1s to 1h")]
    [InlineData("[relay]\nretry_factor = 0.5", 10, "relay.retry_factor", "must be a number from 1 to 10")]
    [InlineData("[submission]\nshow_login = \"yes\"", 10, "submission.show_login", "must be true or false")]
    [InlineData("[submission]\nbare_newlines = \"normalize\"", 10, "submission.bare_newlines", "did you mean \"normalise\"?")]
    [InlineData("[log]\nstyle = \"dominoo\"", 10, "log.style", "did you mean \"domino\"?")]
    [InlineData("[store]\npostgres = \"Host=db\"", 10, "store.postgres", "is not in this release")]
    [InlineData("[[log]]\nstyle = \"json\"", 9, "log", "may be there only once: write [log]")]
    [InlineData("[[listener]]\naddress = \"0.0.0.0:25\"\ntls = \"starttls\"", 10, "listener.address", "never listens on port 25")]
    [InlineData("[[listener]]\naddress = \"0.0.0.0:10025\"\ntls = \"none\"", 11, "listener.tls", "for loopback addresses only")]
    [InlineData("[[listener]]\naddress = \"localhost\"\ntls = \"none\"", 10, "listener.address", "is not an IP address and a port")]
    [InlineData("[[listener]]\naddress = \"127.0.0.1:10465\"", 9, "listener.tls", "is missing")]
    [InlineData("[[listener]]\naddress = \"127.0.0.1:10587\"\ntls = \"none\"", 10, "listener.address", "is there twice; the first time in line 4")]
    [InlineData("[tls]\ncertificate = \"no.pem\"\nkey = \"no.key\"", 10, "tls.certificate", "there is no file")]
    [InlineData("[[directory]]\ntype = \"carrier-pigeon\"", 10, "directory.type", "carrier-pigeon")]
    [InlineData("[[route]]\nsmarthost = \"x\"", 9, "route.recipients", "is missing")]
    [InlineData("[[route]]\nrecipients = \"a@b.test\"\nsmarthost = \"x\"", 10, "route.recipients", "is not a domain")]
    [InlineData("[[route]]\nrecipients = \"x.test\"", 9, "route", "does not say where the mail goes")]
    [InlineData("[[route]]\nrecipients = \"x.test\"\nsmarthost = \"x\"\ncapture = \"m\"", 9, "route", "more than one place")]
    [InlineData("[[route]]\nrecipients = \"x.test\"\nsmarthost = \"x:99999\"", 11, "route.smarthost", "from 1 to 65535")]
    [InlineData("[[route]]\nrecipients = \"x.test\"\nsmarthost = \"x y\"", 11, "route.smarthost", "is not a server")]
    [InlineData("[[route]]\nrecipients = \"x.test\"\nsmarthost = \"x\"\nlogin = \"j\"", 9, "route.password_file", "is missing")]
    [InlineData("[[route]]\nrecipients = \"x.test\"\nsmarthost = \"x\"\npassword = \"p\"", 12, "route.password", "must not be in the configuration")]
    [InlineData("[[route]]\nrecipients = \"x.test\"\nsmarthost = \"x\"\nmx = true", 12, "route.mx", "is not in this release")]
    [InlineData("[[route]]\nrecipients = \"x.test\"\nsmarthost = \"smtps://x\"\ntls = \"none\"", 12, "route.tls", "contradicts smtps://")]
    [InlineData("[[route]]\nrecipients = \"x.test\"\nsmarthost = \"x\"\ntls = \"may\"\ntls_name = \"y\"", 13,
        "route.tls_name", "only valid with tls")]
    [InlineData("this is no TOML", 9, "", "not TOML")]
    public void A_mistake_is_shown_at_its_line_with_its_key_and_what_is_right(string added, int line, string key, string message)
    {
        var problems = Problems(Good + added);
        Assert.Contains(problems, problem => problem.Line == line && problem.Key == key
            && problem.Message.Contains(message, StringComparison.Ordinal));
        Assert.All(problems, problem => Assert.StartsWith(FileName, problem.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void All_mistakes_are_shown_at_once_in_the_order_of_the_file()
    {
        var problems = Problems("""
            hostnam = "smtp.acme.test"
            [limits]
            connections = -1
            [timeouts]
            command = "soon"
            """);
        Assert.Equal([0, 0, 1, 1, 1, 3, 5], problems.Select(problem => problem.Line));
        Assert.Contains($"{FileName}:1: hostnam: is not known at the top of the file; did you mean \"hostname\"?",
            problems.Select(problem => problem.ToString()));
    }

    [Fact]
    public void Secrets_come_from_a_file_or_the_environment()
    {
        File.WriteAllText(Path.Combine(_folder, "secret"), "from the file\nsecond line\n");
        File.SetUnixFileMode(Path.Combine(_folder, "secret"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var file = Load(Good + "[[route]]\nrecipients = \"x.test\"\nsmarthost = \"x\"\nlogin = \"j\"\npassword_file = \"secret\"\n");
        Assert.Equal("from the file", file.Options.Routes[1].Password);
        Assert.Contains(file.Warnings, warning => warning.Key == "route.password_file"
            && warning.Message.EndsWith("chmod 600 it", StringComparison.Ordinal));
        Assert.Contains(file.Warnings, warning => warning.Key == "route" && warning.Line == 9); // behind "*"
        var name = "SALLYPORT_TEST_" + Guid.NewGuid().ToString("N");
        var route = Good + $"[[route]]\nrecipients = \"x.test\"\nsmarthost = \"x\"\nlogin = \"j\"\npassword_env = \"{name}\"\n";
        Assert.Contains(Problems(route), problem => problem.Key == "route.password_env" && problem.Message.Contains(name, StringComparison.Ordinal));
        Environment.SetEnvironmentVariable(name, "from the environment");
        Assert.Equal("from the environment", Load(route).Options.Routes[1].Password);
    }

    [Theory]
    [InlineData("inner:2525", "inner", 2525, false)]
    [InlineData("smtps://inner", "inner", 465, true)]
    [InlineData("[2001:db8::1]", "2001:db8::1", 25, false)]
    [InlineData("[2001:db8::1]:26", "2001:db8::1", 26, false)]
    [InlineData("2001:db8::1", "2001:db8::1", 25, false)]
    public void Smarthosts_are_written_as_people_write_them(string text, string host, int port, bool tls) =>
        Assert.Equal(new SmarthostAddress(host, port, tls), Load(Good.Replace("inner.acme.test", text, StringComparison.Ordinal))
            .Options.Routes[0].Smarthosts[0]);

    [Theory]
    [InlineData("90s", 90_000)]
    [InlineData("5m", 300_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("2d", 172_800_000)]
    [InlineData("500ms", 500)]
    [InlineData("5", null)]
    [InlineData("-5s", null)]
    [InlineData("s", null)]
    [InlineData("1e9s", null)]
    [InlineData("99999999999999d", null)]
    public void Times_have_a_unit(string text, int? milliseconds) =>
        Assert.Equal(milliseconds, Quantities.ParseTime(text)?.TotalMilliseconds);

    [Theory]
    [InlineData("50MiB", 52_428_800L)]
    [InlineData("50 MiB", 52_428_800L)]
    [InlineData("1kb", 1000L)]
    [InlineData("1.5GiB", 1_610_612_736L)]
    [InlineData("7B", 7L)]
    [InlineData("42", 42L)]
    [InlineData("many", null)]
    [InlineData("-1", null)]
    [InlineData("99999999999999TiB", null)]
    public void Sizes_have_a_unit_or_are_octets(string text, long? bytes) => Assert.Equal(bytes, Quantities.ParseSize(text));

    private ConfigurationResult.Loaded Load(string text) =>
        Assert.IsType<ConfigurationResult.Loaded>(BothSources.Parse(FileName, text));

    private IReadOnlyList<ConfigurationProblem> Problems(string text) =>
        Assert.IsType<ConfigurationResult.Invalid>(BothSources.Parse(FileName, text)).Problems;
}

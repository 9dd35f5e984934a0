using Sallyport.EndToEnd.Clients;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>The process as its administrator and its attackers meet it.</summary>
public sealed class ServiceTests
{
    [Fact]
    public async Task SIGTERM_lets_a_session_end_its_message_and_then_says_so()
    {
        await using var server = await SallyportServer.StartAsync();
        await using var session = await RawSession.LoggedInAsync(server);
        await session.SayAsync($"MAIL FROM:<{SallyportServer.Login}>");
        await session.SayAsync("RCPT TO:<bob@example.test>");
        Assert.StartsWith("354", await session.SayAsync("DATA"));
        var stopping = server.StopAsync();
        await Tool.UntilAsync(() => server.Log.Contains("stopping: 1 sessions", StringComparison.Ordinal), "the drain begins");
        Assert.StartsWith("250 2.0.0", await session.SayAsync("Subject: last\r\n\r\ntext\r\n."));
        Assert.StartsWith("421 4.3.2", await session.ReadAsync());
        Assert.Equal(0, await stopping);
        Assert.False(Peers.Listens(server.SubmissionPort));
        await server.RunAsync();
        await server.CapturedContainingAsync("Subject: last");
    }

    [Fact]
    public async Task Nothing_is_done_before_the_login_and_no_login_before_TLS()
    {
        await using var server = await SallyportServer.StartAsync();
        var (session, greeting) = await RawSession.OpenAsync(server.SubmissionPort, tls: false);
        await using (session)
        {
            Assert.StartsWith("220 msa.test", greeting);
            var hello = await session.SayAsync("EHLO client.test");
            Assert.Contains("STARTTLS", hello);
            Assert.DoesNotContain("AUTH", hello);
            Assert.StartsWith("538 5.7.11", await session.SayAsync("AUTH PLAIN AGphbmUAc2VjcmV0"));
            Assert.StartsWith("530 5.7.0", await session.SayAsync("MAIL FROM:<jane@acme.test>"));
            Assert.StartsWith("220", await session.SayAsync("STARTTLS"));
            await session.StartTlsAsync();
            Assert.Contains("AUTH ", await session.SayAsync("EHLO client.test"));
            Assert.StartsWith("530 5.7.0", await session.SayAsync("MAIL FROM:<jane@acme.test>"));
            Assert.StartsWith("530 5.7.0", await session.SayAsync("RCPT TO:<bob@example.test>"));
        }
    }

    [Fact]
    public async Task What_is_sent_behind_STARTTLS_is_an_attack()
    {
        await using var server = await SallyportServer.StartAsync();
        var (session, _) = await RawSession.OpenAsync(server.SubmissionPort, tls: false);
        await using (session)
        {
            await session.SayAsync("EHLO client.test");
            await session.WriteAsync("STARTTLS\r\nNOOP\r\n");
            Assert.StartsWith("554 5.5.0 Data behind STARTTLS", await session.ReadAsync());
            Assert.Equal("", await session.ReadAsync());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TLS_1_2_and_1_3_are_spoken_and_nothing_older(bool rsa)
    {
        await using var server = await SallyportServer.StartAsync(rsa: rsa);
        foreach (var (option, spoken) in ((string, string?)[])[("-tls1_3", "TLSv1.3"), ("-tls1_2", "TLSv1.2"), ("-tls1_1", null), ("-tls1", null)])
        {
            var result = await OpenSslAsync(server, option, "-cipher", "DEFAULT@SECLEVEL=0", "-CAfile", server.Certificates.CaFile);
            if (spoken is null)
            {
                Assert.Contains("New, (NONE), Cipher is (NONE)", result.All);
                Assert.DoesNotContain("220 msa.test", result.All);
            }
            else
            {
                Assert.Contains($"New, {spoken}", result.All);
                Assert.Contains("Verify return code: 0 (ok)", result.All);
            }
        }
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task A_TLS_session_is_resumed(string version)
    {
        await using var server = await SallyportServer.StartAsync();
        var ticket = server.Folder.Of("ticket");
        var first = await OpenSslAsync(server, version, "-sess_out", ticket);
        Assert.Contains("New, TLS", first.All);
        var second = await OpenSslAsync(server, version, "-sess_in", ticket);
        Assert.Contains("Reused, TLS", second.All);
    }

    [Fact]
    public async Task A_client_over_an_RSA_certificate_binds_its_login_to_it()
    {
        await using var server = await SallyportServer.StartAsync(rsa: true);
        var message = Message.Text(server.Folder, "t" + Guid.NewGuid().ToString("N"));
        await MailClients.All["MailKit"].SendAsync(Target.Of(server, implicitTls: false), "SCRAM-SHA-256-PLUS", message);
        await server.CapturedContainingAsync(message.Token);
        await server.LoggedAsync("(SCRAM-SHA-256-PLUS, local)");
    }

    [Fact]
    public async Task SIGHUP_takes_a_new_certificate_and_refuses_a_wrong_configuration()
    {
        await using var server = await SallyportServer.StartAsync();
        var before = await SerialAsync(server);
        server.Certificates.Issue("msa.test");
        await server.SignalAsync("HUP");
        await Tool.UntilAsync(() => server.Log.Contains("configuration and certificate read again", StringComparison.Ordinal), "the reload");
        var after = await SerialAsync(server);
        Assert.NotEqual(before, after);
        var right = File.ReadAllText(server.ConfigFile);
        File.WriteAllText(server.ConfigFile, right + "\n[log]\nstil = \"json\"\n");
        await server.SignalAsync("HUP");
        await Tool.UntilAsync(() => server.Log.Contains("not reloaded, all stays as it was", StringComparison.Ordinal), "the refusal");
        await server.LoggedAsync("did you mean \"style\"?");
        Assert.Equal(after, await SerialAsync(server));
    }

    [Fact]
    public async Task Too_many_connections_from_one_address_hear_why()
    {
        await using var server = await SallyportServer.StartAsync(more: "[limits]\nconnections_per_address = 2\n");
        var (first, _) = await RawSession.OpenAsync(server.SubmissionPort, tls: false);
        var (second, _) = await RawSession.OpenAsync(server.SubmissionPort, tls: false);
        var (third, greeting) = await RawSession.OpenAsync(server.SubmissionPort, tls: false);
        await using (first)
        await using (second)
        await using (third)
        {
            Assert.StartsWith("421 4.7.0", greeting);
            Assert.Equal("", await third.ReadAsync());
        }
    }

    [Fact]
    public async Task A_disk_below_its_floor_refuses_mail_and_keeps_serving()
    {
        await using var server = await SallyportServer.StartAsync();
        File.WriteAllText(server.ConfigFile, File.ReadAllText(server.ConfigFile)
            .Replace("disk_floor_bytes = 1048576", "disk_floor_bytes = \"900TiB\"", StringComparison.Ordinal));
        Assert.Equal(0, await server.StopAsync());
        await server.RunAsync();
        await using var session = await RawSession.LoggedInAsync(server);
        Assert.StartsWith("452 4.3.1", await session.SayAsync($"MAIL FROM:<{SallyportServer.Login}>"));
        Assert.StartsWith("250", await session.SayAsync("NOOP"));
    }

    [Fact]
    public async Task A_disabled_or_removed_account_logs_in_no_more()
    {
        await using var server = await SallyportServer.StartAsync();
        await using (await RawSession.LoggedInAsync(server))
        {
        }

        Assert.Equal(0, (await server.CommandAsync(["user", "disable", SallyportServer.Login])).ExitCode);
        var refused = await Assert.ThrowsAsync<IOException>(() => RawSession.LoggedInAsync(server));
        Assert.StartsWith("535 5.7.8", refused.Message);
        Assert.Equal(0, (await server.CommandAsync(["user", "enable", SallyportServer.Login])).ExitCode);
        await using (await RawSession.LoggedInAsync(server))
        {
        }

        Assert.Equal(0, (await server.CommandAsync(["user", "passwd", SallyportServer.Login], "quite another one\n")).ExitCode);
        await Assert.ThrowsAsync<IOException>(() => RawSession.LoggedInAsync(server));
    }

    [Fact]
    public async Task A_sender_that_is_not_the_logins_is_refused_with_the_right_one()
    {
        await using var server = await SallyportServer.StartAsync();
        await using var session = await RawSession.LoggedInAsync(server);
        Assert.Equal("553 5.7.1 jan@acme.test in MAIL FROM is not an address of login jane@acme.test; it may use jane@acme.test",
            await session.SayAsync("MAIL FROM:<jan@acme.test>"));
        await session.SayAsync("MAIL FROM:<jane@acme.test>");
        await session.SayAsync("RCPT TO:<bob@example.test>");
        await session.SayAsync("DATA");
        var refusal = await session.SayAsync("From: <boss@acme.test>\r\n\r\ntext\r\n.");
        Assert.Contains("boss@acme.test in the From header is not an address of login", refusal);
    }

    [Fact]
    public async Task The_Domino_log_is_read_by_the_words_site_scripts_look_for()
    {
        await using var server = await SallyportServer.StartAsync(more: "[log]\nstyle = \"domino\"\nfile = \"domino.log\"\n", ready: "domino.log");
        await using (var session = await RawSession.LoggedInAsync(server))
        {
            await session.SubmitAsync("domino");
            await session.SayAsync("QUIT");
        }

        var (guess, _) = await RawSession.OpenAsync(server.ImplicitTlsPort, tls: true);
        await using (guess)
        {
            await guess.SayAsync("EHLO client.test");
            await guess.SayAsync("AUTH PLAIN " + Convert.ToBase64String("\0bd\0guess"u8));
        }

        string Log() => File.ReadAllText(server.Folder.Of("domino.log"));
        await Tool.UntilAsync(() => Log().Contains("Authentication failed", StringComparison.Ordinal), "the failed login", null, Log);
        Assert.Matches(@"(?m)^\d\d/\d\d/\d{4} \d\d:\d\d:\d\d   SMTP Server: 127\.0\.0\.1 connected$", Log());
        Assert.Contains("   SMTP Server: Authentication succeeded for user jane@acme.test ; connecting host 127.0.0.1\n", Log());
        Assert.Contains("   SMTP Server: Authentication failed for user … (2 characters) ; connecting host 127.0.0.1\n", Log());
        Assert.Matches(@"SMTP Server: Message \w+ \(MessageID: <domino@client\.test>\) received from jane@acme\.test size \d+ bytes", Log());
        Assert.Contains("   SMTP Server: 127.0.0.1 disconnected. 1 message[s] received\n", Log());
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_says_so()
    {
        await using var server = await SallyportServer.StartAsync();
        var second = await server.CommandAsync(["serve"]);
        Assert.Equal(1, second.ExitCode);
        Assert.Contains("another Sallyport uses this data directory", second.Error);
    }

    [Fact]
    public async Task A_taken_port_is_named()
    {
        await using var server = await SallyportServer.StartAsync();
        using var folder = new TestFolder();
        var config = folder.Write("other.toml", File.ReadAllText(server.ConfigFile)
            .Replace(server.Folder.Of("data"), folder.Of("data"), StringComparison.Ordinal));
        var second = await Tool.RunAsync(Peers.Binary(), ["serve", "--config", config]);
        Assert.Equal(1, second.ExitCode);
        Assert.Contains($"127.0.0.1:{server.SubmissionPort}", second.Error);
    }

    [Fact]
    public async Task Port_25_is_refused_with_the_reason()
    {
        using var folder = new TestFolder();
        var config = folder.Write("bad.toml", """
            hostname = "msa.test"
            data = "data"
            [[listener]]
            address = "0.0.0.0:25"
            tls = "starttls"
            [[route]]
            recipients = ["*"]
            capture = "capture"
            """);
        var checkedConfig = await Tool.RunAsync(Peers.Binary(), ["check", "--config", config]);
        Assert.Equal(2, checkedConfig.ExitCode);
        Assert.Contains($"{config}:4: listener.address: Sallyport never listens on port 25", checkedConfig.Error);
        Assert.Equal(2, (await Tool.RunAsync(Peers.Binary(), ["serve", "--config", config])).ExitCode);
    }

    private static async Task<ToolResult> OpenSslAsync(SallyportServer server, params string[] options) => await Tool.RunAsync(
        Peers.Require("openssl"),
        ["s_client", "-connect", $"127.0.0.1:{server.ImplicitTlsPort}", "-servername", "msa.test", "-ign_eof", "-crlf", .. options],
        "QUIT\n");

    private static async Task<string> SerialAsync(SallyportServer server)
    {
        var shown = (await OpenSslAsync(server)).Output;
        var begin = shown.IndexOf("-----BEGIN CERTIFICATE", StringComparison.Ordinal);
        return shown[begin..shown.IndexOf("-----END CERTIFICATE", StringComparison.Ordinal)];
    }
}

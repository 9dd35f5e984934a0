using Sallyport.EndToEnd.Clients;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>A server that knows the holders of a private authority's certificates, and has a listener for them alone.</summary>
public sealed class CertificateServer : IAsyncLifetime
{
    internal SallyportServer Server { get; private set; } = null!;

    internal OpenSslAuthority Authority { get; private set; } = null!;

    internal int RequiredPort { get; } = Peers.FreePort();

    public async ValueTask InitializeAsync()
    {
        var folder = new TestFolder();
        Authority = await OpenSslAuthority.CreateAsync(folder);
        Server = await SallyportServer.StartAsync(
            within: folder,
            tls: $"client_ca = \"{Authority.CaFile}\"\nclient_crl = \"{Authority.CrlFile}\"",
            more: $"""
            [[listener]]
            address = "127.0.0.1:{RequiredPort}"
            tls = "implicit"
            client_certificates = "required"
            [[directory]]
            type = "certificate"
            name = "smartcards"
            """);
    }

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }
    }
}

/// <summary>EXTERNAL with certificates made by openssl, from real clients: only one that is right in everything is a login.</summary>
public sealed class ClientCertificateTests(CertificateServer fixture) : IClassFixture<CertificateServer>
{
    /// <summary>One context, so that the second connection can resume the first one's session.</summary>
    private const string Script = """
        import socket, ssl, sys
        port, ca, certificate, key, version, between = sys.argv[1:]
        context = ssl.create_default_context(cafile=ca)
        context.maximum_version = ssl.TLSVersion.TLSv1_2 if version == "1.2" else ssl.TLSVersion.TLSv1_3
        if certificate:
            context.load_cert_chain(certificate, key)
        session = None
        for turn in range(2):
            raw = socket.create_connection(("127.0.0.1", int(port)), timeout=60)
            try:
                tls = context.wrap_socket(raw, server_hostname="localhost", session=session)
                lines = tls.makefile("rwb")
                greeting = lines.readline()
                if not greeting:
                    raise ConnectionError("closed")
            except (ssl.SSLError, ConnectionError) as error:
                print(turn, "no connection", type(error).__name__)
                continue
            lines.write(b"EHLO client.test\r\n"); lines.flush()
            offered = False
            while True:
                line = lines.readline()
                offered = offered or b" EXTERNAL" in line
                if line[3:4] == b" ":
                    break
            lines.write(b"AUTH EXTERNAL =\r\n"); lines.flush()
            code = lines.readline()[:3].decode()
            session = tls.session
            print(turn, "reused" if tls.session_reused else "new", "offered" if offered else "hidden", code, flush=True)
            lines.write(b"QUIT\r\n"); lines.flush(); lines.readline()
            raw.close()
            if between and turn == 0:
                sys.stdin.readline()
        """;

    public static TheoryData<string, bool> Clients() => new() { { "curl", true }, { "curl", false }, { "smtplib", true }, { "smtplib", false } };

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_client_logs_in_with_its_certificate_and_sends(string client, bool implicitTls)
    {
        var target = Target.Of(fixture.Server, implicitTls) with { Certificate = await fixture.Authority.IssueAsync("jane") };
        var message = Message.Text(fixture.Server.Folder, Name());
        await MailClients.All[client].SendAsync(target, "EXTERNAL", message);
        Assert.Equal(message.BodyDigest, Message.DigestOfKept(await fixture.Server.CapturedContainingAsync(message.Token)));
        Assert.Contains("login of jane@acme.test from 127.0.0.1 (EXTERNAL, smartcards)", fixture.Server.Log);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task The_holder_of_a_certificate_is_nobody_else(string client, bool implicitTls)
    {
        var target = Target.Of(fixture.Server, implicitTls) with { Certificate = await fixture.Authority.IssueAsync("bob") }; // logs in as jane
        await Assert.ThrowsAnyAsync<Exception>(() =>
            MailClients.All[client].SendAsync(target, "EXTERNAL", Message.Text(fixture.Server.Folder, Name())));
        await Tool.UntilAsync(
            () => fixture.Server.Log.Contains("the client wants to act for jane@acme.test", StringComparison.Ordinal), "the log says why");
    }

    [Theory]
    [InlineData("curl")]
    [InlineData("smtplib")]
    public async Task A_password_is_as_good_as_ever_with_and_without_a_certificate(string client)
    {
        foreach (var certificate in new (string, string)?[] { null, await fixture.Authority.IssueAsync("jane", "other") })
        {
            var message = Message.Text(fixture.Server.Folder, Name());
            var target = Target.Of(fixture.Server, implicitTls: true) with { Certificate = certificate };
            await MailClients.All[client].SendAsync(target, "PLAIN", message);
            await fixture.Server.CapturedContainingAsync(message.Token);
        }
    }

    [Theory]
    [InlineData("1.2")]
    [InlineData("1.3")]
    public async Task A_resumed_session_has_the_same_holder(string version)
    {
        var certificate = await fixture.Authority.IssueAsync("jane");
        Assert.Equal(["0 new offered 235", "1 reused offered 235"], await TwiceAsync(fixture.Server.ImplicitTlsPort, certificate, version));
        Assert.Equal(["0 new offered 235", "1 reused offered 235"], await TwiceAsync(fixture.RequiredPort, certificate, version));
        Assert.Equal(["0 new hidden 504", "1 reused hidden 504"], await TwiceAsync(fixture.Server.ImplicitTlsPort, ("", ""), version));
    }

    [Theory]
    [InlineData("1.2")]
    [InlineData("1.3")]
    public async Task A_certificate_that_is_revoked_is_refused_in_a_resumed_session_too(string version)
    {
        var certificate = await fixture.Authority.IssueAsync("carol" + version[2]);
        var lines = await TwiceAsync(
            fixture.Server.ImplicitTlsPort, certificate, version, () => fixture.Authority.RevokeAsync(certificate.Certificate));
        Assert.Equal(["0 new offered 235", "1 reused hidden 504"], lines);
        Assert.Contains("not accepted: it is revoked", fixture.Server.Log);
        Assert.All(await TwiceAsync(fixture.RequiredPort, certificate, version), line => Assert.Contains("no connection", line));
    }

    [Theory]
    [InlineData("other", 30, "clientAuth", "no authority of client_ca has issued it")]
    [InlineData("ca", -1, "clientAuth", "it expired")]
    [InlineData("ca", 30, "serverAuth", "it is not meant for client authentication")]
    public async Task A_wrong_certificate_is_no_login_and_no_connection_where_one_is_required(string issuer, int days, string use, string why)
    {
        var certificate = await fixture.Authority.IssueAsync("jane", issuer, days, use);
        foreach (var version in (string[])["1.2", "1.3"])
        {
            var lines = await TwiceAsync(fixture.Server.ImplicitTlsPort, certificate, version);
            Assert.Equal(["0 new hidden 504", "1 reused hidden 504"], lines);
            Assert.All(await TwiceAsync(fixture.RequiredPort, certificate, version), line => Assert.Contains("no connection", line));
        }

        Assert.Contains("not accepted: " + why, fixture.Server.Log);
        Assert.Contains("which this listener requires, is not accepted: " + why, fixture.Server.Log);
    }

    [Fact]
    public async Task Without_a_certificate_a_listener_that_requires_one_stays_shut_and_says_why_in_the_log()
    {
        foreach (var version in (string[])["1.2", "1.3"])
        {
            Assert.All(await TwiceAsync(fixture.RequiredPort, ("", ""), version), line => Assert.Contains("no connection", line));
        }

        Assert.Contains("the client showed no certificate, which this listener requires", fixture.Server.Log);
    }

    [Fact]
    public async Task Doctor_looks_at_the_authority_and_its_list()
    {
        var doctor = await fixture.Server.CommandAsync(["doctor"]);
        Assert.Contains("CN=Acme Client CA, valid until", doctor.Output);
        Assert.Contains("client revocation lists", doctor.Output);
        Assert.Equal(0, (await fixture.Server.CommandAsync(["check"])).ExitCode);
    }

    private async Task<string[]> TwiceAsync(int port, (string Certificate, string Key) certificate, string version, Func<Task>? between = null)
    {
        var python = Peers.Require("python3");
        using var process = System.Diagnostics.Process.Start(Tool.Start([python, "-c", Script, $"{port}", fixture.Server.Certificates.CaFile,
            certificate.Certificate, certificate.Key, version, between is null ? "" : "yes"]))!;
        var lines = new List<string>();
        while (await Tool.LineAsync(process) is { } line)
        {
            lines.Add(line);
            if (between is not null && lines.Count == 1)
            {
                await between();
                await process.StandardInput.WriteLineAsync();
                await process.StandardInput.FlushAsync();
            }
        }

        await Tool.EndAsync(process);
        return process.ExitCode == 0 ? [.. lines] : throw new InvalidOperationException(await Tool.ErrorsAsync(process));
    }

    private static string Name() => "t" + Guid.NewGuid().ToString("N");
}

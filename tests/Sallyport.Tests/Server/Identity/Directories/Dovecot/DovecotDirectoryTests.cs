using System.Net;
using System.Net.Sockets;
using System.Text;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Dovecot;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Dovecot;

/// <summary>The directory against an auth service that does as the test says, over a socket of loopback.</summary>
public sealed class DovecotDirectoryTests : IAsyncDisposable
{
    private const string Hello = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tSCRAM-SHA-256\tmutual-auth\nSPID\t1\nCUID\t2\nCOOKIE\taa\nDONE\n";

    private static readonly LoginAttempt Attempt = new("SESS\t1", IPAddress.Parse("192.0.2.7"), "SCRAM-SHA-256", "anna")
    {
        ClientPort = 4711,
        Server = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 465),
    };

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public DovecotDirectoryTests() => _listener.Start();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_tells_who_asks_from_where_and_nothing_of_it_can_be_another_request()
    {
        await using var directory = New();
        using var server = await AcceptAsync();
        var asked = directory.CheckPasswordAsync(Attempt, "anna", "sec\tret\nFAIL\t1", Cancel).AsTask();
        var line = await server.ReadAsync();
        var response = Convert.ToBase64String(Encoding.UTF8.GetBytes("\0anna\0sec\tret\nFAIL\t1"));
        Assert.Equal(
            "AUTH\t1\tPLAIN\tservice=smtp\tsecured\tnologin\tno-penalty\tsession=SESS?1\trip=192.0.2.7\trport=4711\tlip=192.0.2.1\tlport=465\tresp="
            + response, line);
        await server.WriteAsync("OK\t1\tuser=Anna@acme.test\n");
        var entry = Assert.IsType<LoginVerdict.Granted>(await asked).Entry;
        Assert.Equal("anna@acme.test", entry.Login);
        Assert.Equal(["anna@acme.test"], entry.Addresses);
    }

    [Fact]
    public async Task Answers_come_in_any_order_each_to_its_request()
    {
        await using var directory = New();
        using var server = await AcceptAsync();
        var first = directory.CheckPasswordAsync("anna", "x", Cancel).AsTask();
        await server.ReadAsync();
        var second = directory.CheckPasswordAsync("bertil", "x", Cancel).AsTask();
        await server.ReadAsync();
        await server.WriteAsync("OK\t9\tuser=nobody\nFAIL\t2\tuser=bertil\nOK\t1\tuser=anna\n");
        Assert.Equal(LoginReason.UnknownOrWrong, (await second).Reason);
        Assert.IsType<LoginVerdict.Granted>(await first);
    }

    [Theory]
    [InlineData("FAIL\t1\ttemp", "Unavailable")]
    [InlineData("FAIL\t1\tcode=user_disabled", "Disabled")]
    [InlineData("FAIL\t1\tauthz", "Disabled")]
    [InlineData("FAIL\t1\tpass_expired", "Expired")]
    [InlineData("FAIL\t1\tuser=anna", "UnknownOrWrong")]
    [InlineData("OK\t1\tuser=anna\tnologin", "Disabled")]
    [InlineData("OK\t1\tuser=anna\tproxy\thost=x", "Unavailable")]
    [InlineData("OK\t1", "Unavailable")]
    [InlineData("CONT\t1\tAA==", "Unavailable")]
    public async Task A_verdict_means_what_Dovecot_means(string answer, string verdict)
    {
        await using var directory = New(timeout: 2);
        using var server = await AcceptAsync();
        var asked = directory.CheckPasswordAsync("anna", "x", Cancel).AsTask();
        await server.ReadAsync();
        await server.WriteAsync(answer + "\n");
        Assert.Equal(verdict, Verdicts.Name(await asked));
    }

    [Fact]
    public async Task A_restart_tells_all_who_wait_and_the_next_login_finds_the_new_server()
    {
        await using var directory = New();
        using (var server = await AcceptAsync())
        {
            var waiting = Enumerable.Range(0, 5).Select(i => directory.CheckPasswordAsync("anna" + i, "x", Cancel).AsTask()).ToList();
            for (var i = 0; i < 5; i++)
            {
                await server.ReadAsync();
            }

            server.Dispose();
            Assert.All(await Task.WhenAll(waiting), answer => Assert.IsType<LoginVerdict.Unavailable>(answer));
        }

        var next = directory.CheckPasswordAsync("anna", "x", Cancel).AsTask();
        using var again = await AcceptAsync();
        await again.ReadAsync();
        await again.WriteAsync("OK\t1\tuser=anna\n");
        Assert.IsType<LoginVerdict.Granted>(await next);
    }

    [Fact]
    public async Task An_exchange_is_carried_step_by_step_and_called_off_when_it_is_left()
    {
        await using var directory = New();
        using var server = await AcceptAsync();
        var first = directory.CheckPasswordAsync("anna", "x", Cancel).AsTask(); // once it is answered the server's mechanisms are known
        await server.ReadAsync();
        await server.WriteAsync("OK\t1\tuser=anna\n");
        await first;
        Assert.True(directory.Leads("SCRAM-SHA-256"));
        Assert.False(directory.Leads("SCRAM-SHA-256-PLUS"));
        var begun = directory.BeginExchangeAsync(Attempt, "n,,n=anna,r=x"u8.ToArray(), Cancel).AsTask();
        Assert.EndsWith("\tresp=biwsbj1hbm5hLHI9eA==", await server.ReadAsync());
        await server.WriteAsync("CONT\t2\tcj14eQ==\n");
        var challenge = Assert.IsType<LoginVerdict.Challenge>(await begun);
        Assert.Equal("r=xy"u8.ToArray(), challenge.Octets.ToArray());
        var proof = challenge.Exchange.ContinueAsync("c=biws"u8.ToArray(), Cancel).AsTask();
        Assert.Equal("CONT\t2\tYz1iaXdz", await server.ReadAsync());
        await server.WriteAsync("OK\t2\tuser=anna\tresp=dj1v\n");
        var last = Assert.IsType<LoginVerdict.Challenge>(await proof);
        Assert.IsType<LoginVerdict.Granted>(await last.Exchange.ContinueAsync(default, Cancel));
        await last.Exchange.DisposeAsync();

        begun = directory.BeginExchangeAsync(Attempt, "n,,n=anna,r=x"u8.ToArray(), Cancel).AsTask();
        await server.ReadAsync();
        await server.WriteAsync("CONT\t3\tcj14eQ==\n");
        await Assert.IsType<LoginVerdict.Challenge>(await begun).Exchange.DisposeAsync();
        Assert.Equal("CANCEL\t3", await server.ReadAsync());
    }

    [Theory]
    [InlineData("VERSION\t2\t0\nDONE\n", "another version")]
    [InlineData("MECH\tPLAIN\nDONE\n", "names no version")]
    [InlineData("* OK IMAP ready\n", "closed the connection")]
    [InlineData("VERSION\t1\t2\n", "closed the connection")]
    public async Task What_is_no_auth_service_is_seen(string hello, string why)
    {
        await using var directory = New();
        var asked = directory.CheckPasswordAsync("anna", "x", Cancel).AsTask();
        using (var server = new LinePeer(await _listener.AcceptTcpClientAsync(Cancel)))
        {
            await server.WriteAsync(hello);
        }

        Assert.Contains(why, Assert.IsType<LoginVerdict.Unavailable>(await asked).Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_without_end_end_the_connection_to_Dovecot()
    {
        await using var directory = New();
        using var server = await AcceptAsync();
        var asked = directory.CheckPasswordAsync("anna", "x", Cancel).AsTask();
        await server.ReadAsync();
        await server.WriteAsync(new string('x', 20_000));
        Assert.Contains("more than 16384 octets", Assert.IsType<LoginVerdict.Unavailable>(await asked).Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_no_line_can_carry_is_refused_and_disturbs_nobody()
    {
        await using var directory = New();
        using var server = await AcceptAsync();
        Assert.Equal(LoginReason.UnknownOrWrong, (await directory.CheckPasswordAsync("anna", new string('p', 8000), Cancel)).Reason);
        var asked = directory.CheckPasswordAsync("anna", "x", Cancel).AsTask();
        Assert.StartsWith("CANCEL", await server.ReadAsync());
        Assert.StartsWith("AUTH\t2", await server.ReadAsync());
        await server.WriteAsync("OK\t2\tuser=anna\n");
        Assert.IsType<LoginVerdict.Granted>(await asked);
    }

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private DovecotDirectory New(int timeout = 60) => new(new DovecotDirectoryOptions("dovecot")
    {
        Servers = [new ServerAddress("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port, false)],
        Addresses = new LoginAddressOptions { Domain = "acme.test" },
        ConnectionsMax = 1,
        Timeout = TimeSpan.FromSeconds(timeout),
        ConnectTimeout = TimeSpan.FromSeconds(60),
    }, TimeProvider.System);

    /// <summary>The next connection, its handshake done.</summary>
    private async Task<LinePeer> AcceptAsync()
    {
        var peer = new LinePeer(await _listener.AcceptTcpClientAsync(Cancel));
        Assert.Equal("VERSION\t1\t2", await peer.ReadAsync());
        Assert.StartsWith("CPID\t", await peer.ReadAsync());
        await peer.WriteAsync(Hello);
        return peer;
    }
}

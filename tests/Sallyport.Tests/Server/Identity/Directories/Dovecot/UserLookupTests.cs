using System.Net;
using System.Net.Sockets;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Dovecot;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Dovecot;

/// <summary>What Dovecot's userdb says, line by line.</summary>
public sealed class UserLookupTests : IAsyncDisposable
{
    private readonly TcpListener _auth = new(IPAddress.Loopback, 0);
    private readonly TcpListener _userdb = new(IPAddress.Loopback, 0);
    private readonly DovecotDirectory _directory;

    public UserLookupTests()
    {
        _auth.Start();
        _userdb.Start();
        _directory = new DovecotDirectory(new DovecotDirectoryOptions("dovecot")
        {
            Servers = [AddressOf(_auth)],
            UserServers = [AddressOf(_userdb)],
            Addresses = new LoginAddressOptions { Domain = "acme.test" },
            ConnectionsMax = 1,
            ConnectTimeout = TimeSpan.FromSeconds(60),
        }, TimeProvider.System);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _directory.DisposeAsync();
        _auth.Dispose();
        _userdb.Dispose();
    }

    [Fact]
    public async Task Addresses_and_groups_are_fields_of_the_userdb_and_the_login_is_as_it_names_it()
    {
        using var server = await UserdbAsync();
        var asked = _directory.FindAsync("anna\tx", Cancel).AsTask();
        Assert.Equal("USER\t1\tanna\u0001tx\tservice=smtp", await server.ReadAsync());
        await server.WriteAsync("USER\t9\tnobody\nUSER\t1\tAnna@acme.test\tuid=5\thome=/home/anna\tacl_groups=Sales,Staff\t"
            + "sallyport_groups=staff, Board\tsallyport_addresses=info@acme.test,nonsense, Office@Acme.Test\n");
        var entry = Assert.IsType<LoginVerdict.Granted>(await asked).Entry;
        Assert.Equal("anna@acme.test", entry.Login);
        Assert.Equal(["anna@acme.test", "info@acme.test", "office@acme.test"], entry.Addresses);
        Assert.Equal(["Sales", "Staff", "Board"], entry.Groups);
    }

    [Theory]
    [InlineData("NOTFOUND\t1", "UnknownLogin")]
    [InlineData("FAIL\t1\treason=database away", "Unavailable")]
    [InlineData("FAIL\t1", "Unavailable")]
    [InlineData("USER\t1", "Unavailable")]
    [InlineData("OK\t1\tuser=anna", "Unavailable")]
    [InlineData("USER\t1\tanna\tnologin", "Disabled")]
    [InlineData("USER\t1\tanna\tsallyport_disabled=y", "Disabled")]
    [InlineData("USER\t1\tanna\tsallyport_disabled=no", "Granted")]
    public async Task An_answer_means_what_Dovecot_means(string answer, string meaning)
    {
        using var server = await UserdbAsync();
        var asked = _directory.FindAsync("anna", Cancel).AsTask();
        await server.ReadAsync();
        await server.WriteAsync(answer + "\n");
        Assert.Equal(meaning, Verdicts.Name(await asked));
    }

    [Fact]
    public async Task A_login_of_our_own_domain_is_also_asked_for_as_Dovecot_may_know_it()
    {
        using var server = await UserdbAsync();
        var asked = _directory.FindAsync("dora@acme.test", Cancel).AsTask();
        Assert.StartsWith("USER\t1\tdora@acme.test\t", await server.ReadAsync());
        await server.WriteAsync("NOTFOUND\t1\n");
        Assert.StartsWith("USER\t2\tdora\t", await server.ReadAsync());
        await server.WriteAsync("USER\t2\tdora\n");
        Assert.Equal("dora@acme.test", Assert.IsType<LoginVerdict.Granted>(await asked).Entry.Login);
    }

    [Fact]
    public async Task Whose_password_is_right_gets_what_the_userdb_says_and_whom_it_does_not_know_is_refused()
    {
        using var auth = await AcceptAsync(_auth, "VERSION\t1\t2\nMECH\tPLAIN\nSPID\t7\nDONE\n", lines: 2);
        using var server = await UserdbAsync();
        var asked = _directory.CheckPasswordAsync("anna", "x", Cancel).AsTask();
        await auth.ReadAsync();
        await auth.WriteAsync("OK\t1\tuser=anna\n");
        Assert.StartsWith("USER\t1\tanna\t", await server.ReadAsync());
        await server.WriteAsync("USER\t1\tanna\tacl_groups=Sales\n");
        Assert.Equal(["Sales"], Assert.IsType<LoginVerdict.Granted>(await asked).Entry.Groups);

        asked = _directory.CheckPasswordAsync("bertil", "x", Cancel).AsTask();
        await auth.ReadAsync();
        await auth.WriteAsync("OK\t2\tuser=bertil\n");
        await server.ReadAsync();
        await server.WriteAsync("NOTFOUND\t2\n");
        Assert.IsType<LoginVerdict.Denied>(await asked);
    }

    [Fact]
    public async Task A_restart_of_Dovecot_tells_who_waits_and_the_next_look_up_finds_it_again()
    {
        Task<LoginVerdict> asked;
        using (var server = await UserdbAsync())
        {
            asked = _directory.FindAsync("anna", Cancel).AsTask();
            await server.ReadAsync();
        }

        Assert.IsType<LoginVerdict.Unavailable>(await asked);
        asked = _directory.FindAsync("anna", Cancel).AsTask();
        using var again = await UserdbAsync();
        await again.ReadAsync();
        await again.WriteAsync("USER\t1\tanna\n");
        Assert.IsType<LoginVerdict.Granted>(await asked);
    }

    private static ServerAddress AddressOf(TcpListener listener) => new("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, false);

    private Task<LinePeer> UserdbAsync() => AcceptAsync(_userdb, "VERSION\t1\t1\nSPID\t4711\n", lines: 1);

    private static async Task<LinePeer> AcceptAsync(TcpListener listener, string hello, int lines)
    {
        var peer = new LinePeer(await listener.AcceptTcpClientAsync(Cancel));
        for (var i = 0; i < lines; i++)
        {
            Assert.StartsWith(i == 0 ? "VERSION\t1\t" : "CPID\t", await peer.ReadAsync());
        }

        await peer.WriteAsync(hello);
        return peer;
    }
}

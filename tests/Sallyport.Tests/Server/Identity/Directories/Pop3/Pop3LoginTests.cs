using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Pop3;
using Sallyport.Server.Identity.Directories.Servers;
using Sallyport.Tests.Server.Identity.Directories.Servers;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Pop3;

public sealed class Pop3LoginTests
{
    private const string User = "S: +OK ready\nC: CAPA\nS: +OK\nS: USER\nS: RESP-CODES\nS: .\nC: USER anna\n";
    private const string Pass = User + "S: +OK\nC: PASS secret\n";
    private const string Plain = "S: +OK ready\nC: CAPA\nS: +OK\nS: SASL LOGIN PLAIN\nS: .\nC: AUTH PLAIN AGFubmEAc2VjcmV0\n";

    [Theory]
    [InlineData("+OK Logged in.", "None")]
    [InlineData("-ERR [IN-USE] Do you have another POP session running?", "None")]
    [InlineData("-ERR [AUTH] Authentication failed.", "UnknownOrWrong")]
    [InlineData("-ERR wrong", "UnknownOrWrong")]
    [InlineData("-ERR", "UnknownOrWrong")]
    [InlineData("-err [auth] no", "UnknownOrWrong")]
    public async Task A_server_that_judges_is_believed(string answer, string verdict)
    {
        Assert.Equal(verdict, await VerdictAsync(Pass + "S: " + answer));
        Assert.Equal(verdict, await VerdictAsync(Plain + "S: " + answer));
    }

    [Theory]
    [InlineData("S: -ERR [SYS/TEMP] database away", "cannot tell now")]
    [InlineData("S: -ERR [SYS/PERM] call somebody", "cannot tell now")]
    [InlineData("S: -ERR [LOGIN-DELAY] too soon", "cannot tell now")]
    [InlineData("S: * OK IMAP", "not POP3")]
    [InlineData("S: +OKAY", "not POP3")]
    [InlineData("", "closed the connection")]
    [InlineData("S: -ERR {a*3000}", "more than 2048 octets")]
    public async Task A_server_that_judges_nothing_is_no_verdict(string answer, string why)
    {
        Assert.Contains(why, (await TroubleAsync(Pass + answer)).Message, StringComparison.Ordinal);
        Assert.Contains(why, (await TroubleAsync(Plain + answer)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task IN_USE_is_a_right_password_only_once_the_password_was_sent()
    {
        Assert.Equal("UnknownOrWrong", await VerdictAsync(User + "S: -ERR [AUTH] never heard of"));
        Assert.Contains("cannot tell now", (await TroubleAsync(User + "S: -ERR [IN-USE] busy")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_with_blanks_and_letters_of_any_script_goes_as_it_is() => Assert.Equal("None", await VerdictAsync(
        "S: +OK ready\nC: CAPA\nS: -ERR what\nC: USER jane doe\nS: +OK\nC: PASS  smörgås \"\\ \nS: +OK", "jane doe", " smörgås \"\\ "));

    [Fact]
    public async Task A_server_that_takes_it_is_told_who_is_behind_us()
    {
        var server = new ScriptedServer();
        var playing = server.PlayAsync(
            "S: +OK [XCLIENT] ready\nC: CAPA\nS: +OK\nS: USER\nS: .\nC: XCLIENT ADDR=192.0.2.7 PORT=4711\nS: +OK Updated\n"
            + "C: USER anna\nS: +OK\nC: PASS secret\nS: +OK");
        var pop3 = new Pop3Login(server.Client, static _ => { });
        await pop3.BeginAsync(false, ScriptedServer.Soon);
        var attempt = new LoginAttempt("S", System.Net.IPAddress.Parse("192.0.2.7"), "PLAIN", "anna") { ClientPort = 4711 };
        await pop3.TellClientAsync(attempt, ScriptedServer.Soon);
        Assert.Equal(LoginReason.None, await pop3.LogInAsync("anna", "secret", ScriptedServer.Soon));
        await playing;
    }

    [Theory]
    [InlineData("sec\rret")]
    [InlineData("sec\nDELE 1")]
    public async Task A_password_that_would_be_another_POP3_command_is_not_sent(string password) => Assert.Equal(
        "UnknownOrWrong", await VerdictAsync("S: +OK ready\nC: CAPA\nS: -ERR what", password: password));

    [Fact]
    public async Task A_long_password_waits_for_the_server()
    {
        var password = new string('p', 300);
        var response = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"\0anna\0{password}"));
        Assert.Equal("None", await VerdictAsync(
            $"S: +OK ready\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: .\nC: AUTH PLAIN\nS: + \nC: {response}\nS: +OK", password: password));
        Assert.Contains("takes no password", (await TroubleAsync(
            "S: +OK ready\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: .\nC: AUTH PLAIN\nS: +OK come in", password)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("S: -ERR [SYS/TEMP] full", "turns us away")]
    [InlineData("S: * OK IMAP here", "does not greet as a POP3 server")]
    [InlineData("S: +OK\nC: CAPA\nS: +OK\nS: TOP\nS: .", "neither AUTH PLAIN nor USER")]
    public async Task Without_a_way_to_log_in_there_is_no_verdict(string script, string why) =>
        Assert.Contains(why, (await TroubleAsync(script)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Endless_capabilities_come_to_an_end() => Assert.Contains("more than 128 lines", (await TroubleAsync(
        "S: +OK ready\nC: CAPA\nS: +OK\n" + string.Concat(Enumerable.Repeat("S: X\n", 500)))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task After_STLS_the_capabilities_are_asked_again()
    {
        var server = new ScriptedServer();
        Assert.Equal("None", await VerdictAsync(
            "S: +OK ready\nC: CAPA\nS: +OK\nS: STLS\nS: SASL PLAIN\nS: .\nC: STLS\nS: +OK go\n"
            + "C: CAPA\nS: +OK\nS: USER\nS: .\nC: USER anna\nS: +OK\nC: PASS secret\nS: +OK", server: server, startTls: true));
        Assert.True(server.BeganTls);
    }

    [Theory]
    [InlineData("S: +OK\nC: CAPA\nS: -ERR\nC: STLS\nS: -ERR unknown", "no password is sent without TLS")]
    [InlineData("S: +OK\nC: CAPA\nS: -ERR\nC: STLS\nS: +OK{CR}{LF}+OK ready", "looks like an attack")]
    public async Task Without_TLS_there_is_no_password(string script, string why)
    {
        var server = new ScriptedServer();
        Assert.Contains(why, (await TroubleAsync(script, server: server, startTls: true)).Message, StringComparison.Ordinal);
        Assert.False(server.BeganTls);
    }

    private static async Task<string> VerdictAsync(
        string script, string login = "anna", string password = "secret", ScriptedServer? server = null, bool startTls = false)
    {
        server ??= new ScriptedServer();
        return await server.JudgeAsync(new Pop3Login(server.Client, static _ => { }), script, login, password, startTls);
    }

    private static async Task<DirectoryServerException> TroubleAsync(
        string script, string password = "secret", ScriptedServer? server = null, bool startTls = false) =>
        await Assert.ThrowsAsync<DirectoryServerException>(() => VerdictAsync(script, password: password, server: server, startTls: startTls));
}

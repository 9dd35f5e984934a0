using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Imap;
using Sallyport.Server.Identity.Directories.Servers;
using Sallyport.Tests.Server.Identity.Directories.Servers;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Imap;

public sealed class ImapLoginTests
{
    private const string Ready = "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\n";

    // NUL anna NUL secret
    private const string Asked = "C: s1 AUTHENTICATE PLAIN AGFubmEAc2VjcmV0\n";

    [Theory]
    [InlineData("OK [CAPABILITY IMAP4rev1] Logged in", "None")]
    [InlineData("ok done", "None")]
    [InlineData("NO [AUTHENTICATIONFAILED] Authentication failed.", "UnknownOrWrong")]
    [InlineData("NO no such login", "UnknownOrWrong")]
    [InlineData("NO [ALERT] Invalid credentials", "UnknownOrWrong")]
    [InlineData("NO", "UnknownOrWrong")]
    [InlineData("NO [EXPIRED] That password isn't valid any more", "Expired")]
    [InlineData("NO [CONTACTADMIN] disabled", "Disabled")]
    [InlineData("NO [authorizationfailed] you may not", "Disabled")]
    public async Task A_server_that_judges_is_believed(string answer, string verdict) =>
        Assert.Equal(verdict, await VerdictAsync(Ready + Asked + $"S: s1 {answer}"));

    [Theory]
    [InlineData("S: s1 NO [UNAVAILABLE] backend away", "cannot tell now")]
    [InlineData("S: s1 NO [SERVERBUG] oops", "cannot tell now")]
    [InlineData("S: s1 NO [LIMIT] too many", "cannot tell now")]
    [InlineData("S: s1 NO [INUSE] busy", "cannot tell now")]
    [InlineData("S: s1 NO [PRIVACYREQUIRED] TLS first", "cannot tell now")]
    [InlineData("S: s1 BAD what", "does not understand us")]
    [InlineData("S: * BYE shutting down\nS: s1 NO failed", "says goodbye")]
    [InlineData("S: s9 OK of another command", "not IMAP")]
    [InlineData("S: HTTP/1.1 200 OK", "not IMAP")]
    [InlineData("S: + go on\nS: s1 OK too late", "asks for more")]
    [InlineData("", "closed the connection")]
    [InlineData("S: s1 NO half a line{-}", "closed the connection")]
    [InlineData("S: s1 NO {a*3000}", "more than 2048 octets")]
    [InlineData("S: {a*100000}{-}", "more than 2048 octets")]
    [InlineData("S: * LIST {9999999}", "literal of more than 2048 octets")]
    public async Task A_server_that_judges_nothing_is_no_verdict(string answer, string why) =>
        Assert.Contains(why, (await TroubleAsync(Ready + Asked + answer)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("S: * BYE too busy", "turns us away")]
    [InlineData("S: * PREAUTH welcome, root", "PREAUTH")]
    [InlineData("S: +OK POP3 here", "does not greet as an IMAP server")]
    [InlineData("S: 220 smtp.acme.test ESMTP", "does not greet as an IMAP server")]
    [InlineData("S: * OK ready\nC: s1 CAPABILITY\nS: s1 BAD no", "CAPABILITY")]
    public async Task A_greeting_that_is_none_ends_it_before_the_password(string script, string why) =>
        Assert.Contains(why, (await TroubleAsync(script)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Endless_lines_of_an_IMAP_server_come_to_an_end()
    {
        var script = Ready + Asked + string.Concat(Enumerable.Repeat("S: * OK still here\n", 500));
        Assert.Contains("more than 128 lines", (await TroubleAsync(script)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_in_a_literal_is_no_reply() => Assert.Equal("UnknownOrWrong", await VerdictAsync(
        Ready + Asked + "S: * X {10}\nS: s1 OK yes{-}\nS:  and more\nS: s1 NO [AUTHENTICATIONFAILED] {5}"));

    [Fact]
    public async Task Without_an_initial_response_the_password_waits_for_the_server() => Assert.Equal("None", await VerdictAsync("""
        S: * OK ready
        C: s1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
        S: s1 OK done
        C: s2 AUTHENTICATE PLAIN
        S: + 
        C: AGFubmEAc2VjcmV0
        S: s2 OK welcome
        """));

    [Theory]
    [InlineData("OK come in, whoever you are")]
    [InlineData("NO not before you show a password")]
    public async Task An_answer_before_the_password_is_no_verdict(string answer)
    {
        var script = $"S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\nC: s1 AUTHENTICATE PLAIN\nS: s1 {answer}";
        Assert.Contains("takes no password", (await TroubleAsync(script)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("anna", "secret", "C: s1 LOGIN \"anna\" \"secret\"")]
    [InlineData("jane doe", "a\"b\\c", "C: s1 LOGIN \"jane doe\" \"a\\\"b\\\\c\"")]
    [InlineData("anna", "smörgås", "C: s1 LOGIN \"anna\" {9}\nS: + go on\nC: smörgås")]
    [InlineData("jäne", "ö", "C: s1 LOGIN {5}\nS: + \nC: jäne {2}\nS: + \nC: ö")]
    [InlineData("anna", "x\ty", "C: s1 LOGIN \"anna\" {3}\nS: + \nC: x\ty")]
    public async Task LOGIN_quotes_what_can_be_quoted_and_sends_the_rest_as_literals(string login, string password, string said) =>
        Assert.Equal("None", await VerdictAsync($"S: * OK [CAPABILITY IMAP4rev1] ready\n{said}\nS: s1 OK in", login, password));

    [Fact]
    public async Task A_refusal_before_the_literal_is_no_verdict() => Assert.Contains(
        "takes no password",
        (await TroubleAsync(
            "S: * OK [CAPABILITY IMAP4rev1] ready\nC: s1 LOGIN \"anna\" {2}\nS: s1 NO literals are too long", password: "ö")).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("ID", "C: s1 ID (\"x-originating-ip\" \"2001:db8::7\" \"x-originating-port\" \"4711\")\nS: * ID NIL\nS: s1 NO as you like\n", "s2")]
    [InlineData("IDLE", "", "s1")]
    public async Task A_server_that_takes_it_is_told_who_is_behind_us(string capability, string said, string tag)
    {
        var server = new ScriptedServer();
        var playing = server.PlayAsync(
            $"S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN {capability}] ready\n{said}"
                + $"C: {tag} AUTHENTICATE PLAIN AGFubmEAc2VjcmV0\nS: {tag} OK in");
        var imap = new ImapLogin(server.Client, static _ => { });
        await imap.BeginAsync(false, ScriptedServer.Soon);
        var attempt = new LoginAttempt("S", System.Net.IPAddress.Parse("2001:db8::7"), "PLAIN", "anna") { ClientPort = 4711 };
        await imap.TellClientAsync(attempt, ScriptedServer.Soon);
        Assert.Equal(LoginReason.None, await imap.LogInAsync("anna", "secret", ScriptedServer.Soon));
        await playing;
    }

    [Fact]
    public async Task LOGINDISABLED_is_respected() => Assert.Contains(
        "LOGINDISABLED", (await TroubleAsync("S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready")).Message, StringComparison.Ordinal);

    [Fact]
    public async Task After_STARTTLS_the_capabilities_are_asked_again()
    {
        var server = new ScriptedServer();
        Assert.Equal("None", await VerdictAsync("""
            S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR] ready
            C: s1 STARTTLS
            S: s1 OK begin
            C: s2 CAPABILITY
            S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
            S: s2 OK done
            C: s3 AUTHENTICATE PLAIN
            S: + 
            C: AGFubmEAc2VjcmV0
            S: s3 OK in
            """, server: server, startTls: true));
        Assert.True(server.BeganTls);
    }

    [Theory]
    [InlineData("S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready", "offers no STARTTLS")]
    [InlineData("S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\nC: s1 STARTTLS\nS: s1 NO not now", "answers STARTTLS with NO")]
    [InlineData("S: * OK [CAPABILITY STARTTLS] ready\nC: s1 STARTTLS\nS: s1 OK go{CR}{LF}* CAPABILITY AUTH=PLAIN", "looks like an attack")]
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
        var steps = new List<string>();
        var verdict = await server.JudgeAsync(new ImapLogin(server.Client, steps.Add), script, login, password, startTls);
        Assert.DoesNotContain(steps, step => step.Contains(password, StringComparison.Ordinal));
        return verdict;
    }

    private static async Task<DirectoryServerException> TroubleAsync(
        string script, string password = "secret", ScriptedServer? server = null, bool startTls = false) =>
        await Assert.ThrowsAsync<DirectoryServerException>(() => VerdictAsync(script, password: password, server: server, startTls: startTls));
}

using System.Text;
using MailKit.Net.Smtp;
using Sallyport.EndToEnd.Clients;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>Limits of what logins send, as real clients meet them.</summary>
public sealed class SendingLimitTests
{
    private const string Jane = "[[quota]]\nfor = [\"*\"]\n";

    [Fact]
    public async Task Messages_over_the_limit_are_refused_with_the_time_also_after_a_restart_and_a_crash()
    {
        await using var server = await SallyportServer.StartAsync(more: Jane + "messages = { day = 3 }");
        await SendAsync(server, "swaks");
        await SendAsync(server, "MailKit");
        Assert.Equal(0, await server.StopAsync());
        await server.RunAsync();
        await SendAsync(server, "swaks");
        var refusal = await Assert.ThrowsAsync<SmtpCommandException>(() => SendAsync(server, "MailKit"));
        Assert.Matches(
            @"^4\.7\.1 Login jane@acme\.test may send 3 messages a day; the next is free at 20\d\d-\d\d-\d\d \d\d:\d\d UTC$", refusal.Message);
        Assert.Equal(451, (int)refusal.StatusCode);
        await server.CommandAsync(["limits", "reset", "--group", "anybody"]); // its answer says that all is on disk
        server.Kill();
        await server.RunAsync();
        var swaks = await Assert.ThrowsAsync<InvalidOperationException>(() => SendAsync(server, "swaks"));
        Assert.Contains("451 4.7.1 Login jane@acme.test may send 3 messages a day", swaks.Message);
        await Tool.UntilAsync(() => server.Log.Contains("login:jane@acme.test has used 3 of 3 messages a day", StringComparison.Ordinal), "the line");
        var shown = await server.CommandAsync(["limits", "show", SallyportServer.Login]);
        Assert.Matches(@"its own +messages a day +3 +3 +20", shown.Output);
        Assert.Contains("[[quota]] in line", shown.Output);
        Assert.Contains("\"messages\": 3", (await server.CommandAsync(["limits", "list", "--json"])).Output);
        var explained = await server.CommandAsync(
            ["explain", "--login", SallyportServer.Login, "--from", SallyportServer.Login, "--to", "bob@x.test"]);
        Assert.Equal(1, explained.ExitCode);
        Assert.Contains("may send 3 messages a day", explained.Output);
        Assert.Equal(0, (await server.CommandAsync(["limits", "reset", SallyportServer.Login])).ExitCode);
        await SendAsync(server, "MailKit");
    }

    [Fact]
    public async Task Twenty_sessions_of_one_login_get_no_more_through_than_one()
    {
        await using var server = await SallyportServer.StartAsync(more: Jane + "messages = { hour = 10 }");
        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(async session =>
        {
            await using var client = await RawSession.LoggedInAsync(server);
            return new[] { await SubmitAsync(client), await SubmitAsync(client) };
        }));
        var all = replies.SelectMany(reply => reply).ToList();
        Assert.Equal(10, all.Count(reply => reply.StartsWith("250 2.0.0 Ok: queued", StringComparison.Ordinal)));
        const string Refusal = "451 4.7.1 Login jane@acme.test may send 10 messages an hour";
        Assert.Equal(30, all.Count(reply => reply.StartsWith(Refusal, StringComparison.Ordinal)));
        await Tool.UntilAsync(() => server.Captured().Length == 10, "10 messages in the Maildir");
    }

    [Fact]
    public async Task Strangers_are_limited_and_colleagues_and_known_recipients_are_not()
    {
        await using var server = await SallyportServer.StartAsync(more: Jane + "first_time_recipients = { day = 2 }\nrecipients = { day = 6 }");
        await using var client = await RawSession.LoggedInAsync(server);
        await client.SayAsync("MAIL FROM:<jane@acme.test>");
        Assert.StartsWith("250", await client.SayAsync("RCPT TO:<a@far.test>"));
        Assert.StartsWith("250", await client.SayAsync("RCPT TO:<b@far.test>"));
        Assert.StartsWith(
            "450 4.7.1 Login jane@acme.test may write to 2 recipients for the first time a day", await client.SayAsync("RCPT TO:<c@far.test>"));
        Assert.StartsWith("250", await client.SayAsync("RCPT TO:<boss@acme.test>"));
        Assert.StartsWith("354", await client.SayAsync("DATA"));
        Assert.StartsWith("250", await client.SayAsync("From: <jane@acme.test>\r\n\r\nx\r\n."));
        Assert.StartsWith("450 4.7.1 Login jane@acme.test may write to 2", await SubmitAsync(client, "c@far.test"));
        Assert.Equal(0, await server.StopAsync());
        await server.RunAsync();
        await using var later = await RawSession.LoggedInAsync(server);
        Assert.StartsWith("250", await SubmitAsync(later, "A@far.test"));
        Assert.StartsWith("450 4.7.1 Login jane@acme.test may write to 2", await SubmitAsync(later, "c@far.test"));
        Assert.StartsWith("250", await SubmitAsync(later, "carol@acme.test"));
        Assert.StartsWith("250", await SubmitAsync(later, "b@far.test"));
        Assert.StartsWith("450 4.7.1 Login jane@acme.test may write to 6 recipients a day", await SubmitAsync(later, "carol@acme.test"));
    }

    [Fact]
    public async Task Content_and_connections_are_limited()
    {
        await using var server = await SallyportServer.StartAsync(
            more: Jane + "bytes = { day = \"300KiB\", hour = \"300KiB\" }\nconnections = { at_once = 2 }");
        var message = Message.Attachment(server.Folder, "attachment");
        await MailClients.All["MailKit"].SendAsync(Target.Of(server, implicitTls: true), "SCRAM-SHA-256", message);
        var full = await Assert.ThrowsAsync<SmtpCommandException>(
            () => MailClients.All["MailKit"].SendAsync(Target.Of(server, implicitTls: true), "PLAIN", message));
        Assert.StartsWith("4.7.1 Login jane@acme.test may send 300 KiB a day; ", full.Message);
        await using var first = await RawSession.LoggedInAsync(server);
        await using (await RawSession.LoggedInAsync(server))
        {
            var refusal = await Assert.ThrowsAsync<MailKit.Security.AuthenticationException>(() => SendAsync(server, "MailKit"));
            Assert.Contains("Login jane@acme.test may have 2 connections at once", refusal.Message);
            var swaks = await Assert.ThrowsAsync<InvalidOperationException>(() => SendAsync(server, "swaks"));
            Assert.Contains("454 4.7.0 Login jane@acme.test may have 2 connections at once", swaks.Message);
        }

        int Count(string words) => server.Log.Split(words).Length;
        await Tool.UntilAsync(() => Count(" disconnected after ") == Count(" connected from ") - 1, "the end of all sessions but one");
        Assert.Contains("\"open\": 1", (await server.CommandAsync(["limits", "list", "--json"])).Output);
        await SendAsync(server, "swaks");
    }

    [Fact]
    public async Task A_limit_changed_by_a_reload_is_in_force_at_once_and_first_match_wins()
    {
        await using var server = await SallyportServer.StartAsync(more: Jane + "messages = { hour = 1 }");
        await using var client = await RawSession.LoggedInAsync(server);
        Assert.StartsWith("250", await SubmitAsync(client));
        Assert.StartsWith("451 4.7.1", await SubmitAsync(client));
        File.WriteAllText(server.ConfigFile, File.ReadAllText(server.ConfigFile).Replace(
            Jane, "[[quota]]\nfor = [\"jane@acme.test\"]\nmessages = { hour = 3 }\n" + Jane, StringComparison.Ordinal));
        Assert.Equal(0, (await server.CommandAsync(["check"])).ExitCode);
        await server.SignalAsync("HUP");
        await Tool.UntilAsync(() => server.Log.Contains("configuration and certificate read again", StringComparison.Ordinal), "the reload");
        Assert.StartsWith("250", await SubmitAsync(client));
        Assert.StartsWith("250", await SubmitAsync(client));
        Assert.StartsWith("451 4.7.1 Login jane@acme.test may send 3 messages an hour", await SubmitAsync(client));
    }

    [Fact]
    public async Task Groups_of_a_directory_share_one_count()
    {
        await using var site = await LdapSite.DominoAsync(site => $"""
            preset = "domino"
            url = "{site.Servers[0].TlsUrl}"
            tls_ca = "{site.CaFile}"
            bind_dn = "CN=MSA Lookup,O=DuckWest"
            password_file = "{site.Secret("lookup secret")}"
            [[quota]]
            for = ["group:EastSenders", "group:everybody"]
            shared = true
            messages = " "
            """.Replace("\" \"", "{ hour = 2 }", StringComparison.Ordinal));
        Assert.StartsWith("250", await SubmitAsync(site, "Jane Doe/Sales/DuckWest", "jane.doe@duck.test"));
        Assert.StartsWith("250", await SubmitAsync(site, "Jörg Müller", "joerg@east.duck.test"));
        Assert.StartsWith("451 4.7.1 group:EastSenders and group:everybody together may send 2 messages an hour",
            await SubmitAsync(site, "Jane Doe/Sales/DuckWest", "jane.doe@duck.test"));
        Assert.StartsWith("250", await SubmitAsync(site, "Jane Doe/DuckEast", "jane@east.duck.test", "east password")); // in neither
    }

    private static async Task<string> SubmitAsync(LdapSite site, string login, string address, string password = LdapTrees.Password)
    {
        var (session, _) = await RawSession.OpenAsync(site.Sallyport.ImplicitTlsPort, tls: true);
        await using (session)
        {
            await session.SayAsync("EHLO client.test");
            await session.SayAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{login}\0{password}")));
            return await SubmitAsync(session, "bob@example.test", address);
        }
    }

    /// <summary>Command by command, so that the session can go on after a refusal. Returns that, or the reply to the content.</summary>
    private static async Task<string> SubmitAsync(RawSession session, string to = "bob@example.test", string from = SallyportServer.Login)
    {
        foreach (var line in (string[])[$"MAIL FROM:<{from}>", $"RCPT TO:<{to}>", "DATA"])
        {
            if (await session.SayAsync(line) is var reply && reply[0] is '4' or '5')
            {
                await session.SayAsync("RSET");
                return reply;
            }
        }

        return await session.SayAsync($"From: <{from}>\r\n\r\nx\r\n.");
    }

    private static Task SendAsync(SallyportServer server, string client) => MailClients.All[client].SendAsync(
        Target.Of(server, implicitTls: true), "PLAIN", Message.Text(server.Folder, Guid.NewGuid().ToString("N")));
}

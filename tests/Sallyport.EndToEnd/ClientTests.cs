using Sallyport.EndToEnd.Clients;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>One server for all clients, everything captured.</summary>
public sealed class CapturingServer : IAsyncLifetime
{
    internal SallyportServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await SallyportServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }
    }
}

/// <summary>Real clients log in with every mechanism they can, over 465 and over 587, and what they send arrives byte for byte.</summary>
public sealed class ClientTests(CapturingServer capturing) : IClassFixture<CapturingServer>
{
    public static TheoryData<string, string, bool> Logins()
    {
        var rows = new TheoryData<string, string, bool>();
        foreach (var (name, client) in MailClients.All)
        {
            foreach (var mechanism in client.Mechanisms)
            {
                rows.Add(name, mechanism, true);
                rows.Add(name, mechanism, false);
            }
        }

        return rows;
    }

    public static TheoryData<string, bool> ClientsAndPorts()
    {
        var rows = new TheoryData<string, bool>();
        foreach (var name in MailClients.All.Keys)
        {
            rows.Add(name, true);
            rows.Add(name, false);
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Logins))]
    public async Task A_client_logs_in_and_sends_a_text(string client, string mechanism, bool implicitTls) =>
        await SendAsync(client, mechanism, implicitTls, Message.Text(capturing.Server.Folder, Token()));

    [Theory]
    [MemberData(nameof(ClientsAndPorts))]
    public async Task A_client_sends_an_attachment(string client, bool implicitTls) =>
        await SendAsync(client, "PLAIN", implicitTls, Message.Attachment(capturing.Server.Folder, Token()));

    [Theory]
    [MemberData(nameof(ClientsAndPorts))]
    public async Task A_client_sends_30_megabytes(string client, bool implicitTls) =>
        await SendAsync(client, "PLAIN", implicitTls, Message.Big(capturing.Server.Folder, Token()));

    [Theory]
    [MemberData(nameof(ClientsAndPorts))]
    public async Task A_client_that_speaks_SMTPUTF8_sends_from_and_to_such_an_address(string client, bool implicitTls)
    {
        var message = Message.Utf8Address(capturing.Server.Folder, Token());
        if (MailClients.All[client].CanSmtpUtf8)
        {
            await SendAsync(client, "PLAIN", implicitTls, message);
            return;
        }

        // The others send the address without the extension: that must be refused, with the reason, and nothing kept.
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            SendAsync(client, "PLAIN", implicitTls, message));
        Assert.Contains("SMTPUTF8", refusal.Message);
    }

    [Theory]
    [MemberData(nameof(Logins))]
    public async Task A_wrong_password_is_refused(string client, string mechanism, bool implicitTls)
    {
        var server = capturing.Server;
        var target = Target.Of(server, implicitTls) with { Password = "wrong horse" };
        var message = Message.Text(server.Folder, Token());
        await Assert.ThrowsAnyAsync<Exception>(() => MailClients.All[client].SendAsync(target, mechanism, message));
        Assert.DoesNotContain(server.Captured(), file => File.ReadAllText(file).Contains(message.Token));
    }

    private static string Token() => "t" + Guid.NewGuid().ToString("N");

    private async Task SendAsync(string client, string mechanism, bool implicitTls, Message message)
    {
        var server = capturing.Server;
        await MailClients.All[client].SendAsync(Target.Of(server, implicitTls), mechanism, message);
        var kept = await server.CapturedContainingAsync(message.Token);
        Assert.Equal(message.BodyDigest, Message.DigestOfKept(kept));
        var header = Message.HeaderOfKept(kept);
        Assert.Contains("SMTPSA id ", header);
        Assert.Contains("(client hidden)", header);
    }
}

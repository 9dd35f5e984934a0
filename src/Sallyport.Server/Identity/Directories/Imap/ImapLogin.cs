using System.Globalization;
using System.Text;
using Sallyport.Mail.Text;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Servers;

namespace Sallyport.Server.Identity.Directories.Imap;

/// <summary>A login over IMAP (RFC 9051 §6.2, RFC 3501 §6.2) and nothing more: no mailbox is selected, no command reads mail.</summary>
/// <param name="step">Told what happens, without secrets.</param>
internal sealed class ImapLogin(LineConnection connection, Action<string> step) : IMailboxLogin
{
    private string[]? _capabilities;
    private int _commands;

    public async Task BeginAsync(bool startTls, CancellationToken cancel)
    {
        var greeting = await ReadAsync(cancel);
        if (greeting is not { Kind: ImapReplyKind.Status, Word: "OK" })
        {
            throw new DirectoryServerException(greeting.Word == "BYE" ? $"it turns us away: {Shown(greeting)}"
                : greeting.Word == "PREAUTH" ? "it takes us for somebody already (PREAUTH): no password could be tried"
                : "it does not greet as an IMAP server");
        }

        step($"greets: {Shown(greeting)}");
        if (startTls)
        {
            Demand("STARTTLS", await CapabilitiesAsync(cancel));
            var reply = await CommandAsync("STARTTLS", cancel);
            if (reply.Word != "OK")
            {
                throw new DirectoryServerException($"it answers STARTTLS with {Shown(reply)}");
            }

            await connection.StartTlsAsync(cancel);
            _capabilities = null; // what was said in clear may have been said by anybody
            step("STARTTLS: the certificate is right");
        }

        await CapabilitiesAsync(cancel);
    }

    public async Task TellClientAsync(LoginAttempt attempt, CancellationToken cancel)
    {
        if ((await CapabilitiesAsync(cancel)).Contains("ID"))
        {
            await CommandAsync(string.Create(CultureInfo.InvariantCulture,
                $"ID (\"x-originating-ip\" \"{attempt.Client}\" \"x-originating-port\" \"{attempt.ClientPort}\")"), cancel);
        }
    }

    public async Task<LoginReason> LogInAsync(string login, string password, CancellationToken cancel)
    {
        var capabilities = await CapabilitiesAsync(cancel);
        if (capabilities.Contains("AUTH=PLAIN"))
        {
            step("AUTHENTICATE PLAIN");
            return ReasonOf(await PlainAsync(login, password, capabilities.Contains("SASL-IR"), cancel));
        }

        if (capabilities.Contains("LOGINDISABLED"))
        {
            throw new DirectoryServerException("it offers neither AUTH=PLAIN nor LOGIN (LOGINDISABLED)");
        }

        step("LOGIN");
        return ReasonOf(await LoginAsync([Encoding.UTF8.GetBytes(login), Encoding.UTF8.GetBytes(password)], cancel));
    }

    public async Task LeaveAsync(CancellationToken cancel) => await CommandAsync("LOGOUT", cancel);

    private async Task<ImapReply> PlainAsync(string login, string password, bool initial, CancellationToken cancel)
    {
        var response = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{login}\0{password}"));
        var tag = NewTag();
        if (initial)
        {
            await connection.SendLineAsync($"{tag} AUTHENTICATE PLAIN {response}", cancel);
        }
        else
        {
            await connection.SendLineAsync($"{tag} AUTHENTICATE PLAIN", cancel);
            await ExpectContinueAsync(tag, cancel);
            await connection.SendLineAsync(response, cancel);
        }

        return await ResultAsync(tag, cancel);
    }

    /// <summary>Quoted strings where they can hold the octets, literals where they cannot (RFC 3501 §4.3).</summary>
    private async Task<ImapReply> LoginAsync(byte[][] arguments, CancellationToken cancel)
    {
        var tag = NewTag();
        List<byte> command = [.. Encoding.ASCII.GetBytes(tag + " LOGIN")];
        foreach (var argument in arguments)
        {
            command.Add((byte)' ');
            if (argument.Length > 0 && Array.TrueForAll(argument, static octet => octet is >= 0x20 and < 0x7f))
            {
                var text = Encoding.ASCII.GetString(argument);
                command.AddRange(Encoding.ASCII.GetBytes(
                    $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""));
                continue;
            }

            command.AddRange(Encoding.ASCII.GetBytes($"{{{argument.Length}}}\r\n"));
            await connection.SendAsync(command.ToArray(), cancel);
            await ExpectContinueAsync(tag, cancel);
            command = [.. argument];
        }

        await connection.SendAsync((byte[])[.. command, .. "\r\n"u8], cancel);
        return await ResultAsync(tag, cancel);
    }

    private static LoginReason ReasonOf(ImapReply reply) => (reply.Word, reply.Code.Split(' ')[0]) switch
    {
        ("OK", _) => LoginReason.None,
        ("BAD", _) => throw new DirectoryServerException($"it does not understand us: {Shown(reply)}"),
        (_, "UNAVAILABLE" or "SERVERBUG" or "INUSE" or "LIMIT" or "PRIVACYREQUIRED") =>
            throw new DirectoryServerException($"it cannot tell now: {Shown(reply)}"),
        (_, "EXPIRED") => LoginReason.Expired,
        (_, "CONTACTADMIN" or "AUTHORIZATIONFAILED") => LoginReason.Disabled,
        _ => LoginReason.UnknownOrWrong,
    };

    private async Task<string[]> CapabilitiesAsync(CancellationToken cancel)
    {
        if (_capabilities is null && (await CommandAsync("CAPABILITY", cancel)).Word != "OK")
        {
            throw new DirectoryServerException("it does not say what it can (CAPABILITY)");
        }

        return _capabilities ?? [];
    }

    private static void Demand(string capability, string[] capabilities)
    {
        if (!capabilities.Contains(capability))
        {
            throw new DirectoryServerException($"it offers no {capability}, and no password is sent without TLS");
        }
    }

    private string NewTag() => string.Create(CultureInfo.InvariantCulture, $"s{++_commands}");

    private async Task<ImapReply> CommandAsync(string command, CancellationToken cancel)
    {
        var tag = NewTag();
        await connection.SendLineAsync($"{tag} {command}", cancel);
        return await ResultAsync(tag, cancel);
    }

    private async Task<ImapReply> ResultAsync(string tag, CancellationToken cancel)
    {
        var reply = await NextAsync(tag, cancel);
        return reply.Kind == ImapReplyKind.Tagged ? reply : throw new DirectoryServerException("it asks for more than a login has");
    }

    /// <summary>Refused before the password was sent: nothing was judged.</summary>
    private async Task ExpectContinueAsync(string tag, CancellationToken cancel)
    {
        var reply = await NextAsync(tag, cancel);
        if (reply.Kind != ImapReplyKind.Continue)
        {
            throw new DirectoryServerException($"it takes no password: {Shown(reply)}");
        }
    }

    /// <summary>"+" or the end of the command; what comes in between is noted where it matters.</summary>
    private async Task<ImapReply> NextAsync(string tag, CancellationToken cancel)
    {
        while (true)
        {
            var reply = await ReadAsync(cancel);
            switch (reply.Kind)
            {
                case ImapReplyKind.Continue:
                    return reply;
                case ImapReplyKind.Tagged when reply.Tag == tag:
                    return reply;
                case ImapReplyKind.Status when reply.Word == "BYE":
                    throw new DirectoryServerException($"it says goodbye: {Shown(reply)}");
                case ImapReplyKind.Malformed or ImapReplyKind.Tagged:
                    throw new DirectoryServerException("what it answers is not IMAP");
            }
        }
    }

    /// <summary>One reply. Literals in data are passed over: nothing in them is a line of the protocol.</summary>
    private async Task<ImapReply> ReadAsync(CancellationToken cancel)
    {
        var line = await connection.ReadLineAsync(cancel);
        var reply = ImapReply.Read(line);
        while (reply.Kind == ImapReplyKind.Data && ImapReply.LiteralOctets(line) is { } octets)
        {
            if (octets > LineConnection.LineBytesMax)
            {
                throw new DirectoryServerException($"it sent a literal of more than {LineConnection.LineBytesMax} octets");
            }

            await connection.SkipAsync(octets, cancel);
            line = await connection.ReadLineAsync(cancel);
        }

        _capabilities = reply.Capabilities() ?? _capabilities;
        return reply;
    }

    private static string Shown(ImapReply reply) => DisplayText.Sanitize($"{reply.Word} {reply.Text}".Trim());
}

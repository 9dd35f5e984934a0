using System.Globalization;
using System.Text;
using Sallyport.Mail.Text;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Servers;

namespace Sallyport.Server.Identity.Directories.Pop3;

/// <summary>A login over POP3 (RFC 1939 §7, RFC 5034) and nothing more: the maildrop is opened and closed as it was.</summary>
/// <param name="step">Told what happens, without secrets.</param>
internal sealed class Pop3Login(LineConnection connection, Action<string> step) : IMailboxLogin
{
    private const int CommandBytesMax = 255; // RFC 2449 §4, with CRLF

    /// <summary>In upper case; null when the server knows no CAPA.</summary>
    private List<string>? _capabilities;

    /// <summary>Dovecot says so in its greeting, to those it trusts.</summary>
    private bool _takesClient;

    public async Task BeginAsync(bool startTls, CancellationToken cancel)
    {
        var greeting = await connection.ReadLineAsync(cancel);
        if (!IsOk(greeting))
        {
            throw new DirectoryServerException(IsError(greeting) ? $"it turns us away: {Shown(greeting)}" : "it does not greet as a POP3 server");
        }

        _takesClient = CodeOf(greeting) == "XCLIENT";
        step($"greets: {Shown(greeting)}");
        if (startTls)
        {
            // STLS is tried also where there is no CAPA to announce it.
            await ReadCapabilitiesAsync(cancel);
            var reply = await CommandAsync("STLS", cancel);
            if (!IsOk(reply))
            {
                throw new DirectoryServerException($"it answers STLS with {Shown(reply)}, and no password is sent without TLS");
            }

            await connection.StartTlsAsync(cancel);
            step("STLS: the certificate is right");
        }

        await ReadCapabilitiesAsync(cancel);
    }

    public async Task TellClientAsync(LoginAttempt attempt, CancellationToken cancel)
    {
        if (_takesClient)
        {
            await CommandAsync(string.Create(CultureInfo.InvariantCulture, $"XCLIENT ADDR={attempt.Client} PORT={attempt.ClientPort}"), cancel);
        }
    }

    public async Task<LoginReason> LogInAsync(string login, string password, CancellationToken cancel)
    {
        if (_capabilities?.Find(static line => line.StartsWith("SASL ", StringComparison.Ordinal)) is { } sasl
            && sasl.Split(' ').Contains("PLAIN"))
        {
            step("AUTH PLAIN");
            return ReasonOf(await PlainAsync(login, password, cancel), judged: true);
        }

        if (_capabilities?.Contains("USER") == false)
        {
            throw new DirectoryServerException("it offers neither AUTH PLAIN nor USER");
        }

        if ($"{login}{password}".AsSpan().ContainsAny('\r', '\n', '\0'))
        {
            return LoginReason.UnknownOrWrong; // no line of the protocol can say it
        }

        step("USER and PASS");
        var user = await CommandAsync("USER " + login, cancel);
        return IsOk(user)
            ? ReasonOf(await CommandAsync("PASS " + password, cancel), judged: true)
            : ReasonOf(user, judged: false);
    }

    public async Task LeaveAsync(CancellationToken cancel) => await CommandAsync("QUIT", cancel);

    private async Task<string> PlainAsync(string login, string password, CancellationToken cancel)
    {
        var response = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{login}\0{password}"));
        var whole = "AUTH PLAIN " + response;
        if (whole.Length + 2 <= CommandBytesMax)
        {
            return await CommandAsync(whole, cancel);
        }

        var waits = await CommandAsync("AUTH PLAIN", cancel);
        if (!waits.StartsWith("+ ", StringComparison.Ordinal) && waits != "+")
        {
            throw new DirectoryServerException($"it takes no password: {Shown(waits)}");
        }

        return await CommandAsync(response, cancel);
    }

    /// <param name="judged">The server had the password: IN-USE then means that it was right (RFC 2449 §8.1.2).</param>
    private static LoginReason ReasonOf(string reply, bool judged)
    {
        if (IsOk(reply) && judged)
        {
            return LoginReason.None;
        }

        if (!IsError(reply))
        {
            throw new DirectoryServerException("what it answers is not POP3");
        }

        return CodeOf(reply) switch
        {
            "IN-USE" when judged => LoginReason.None,
            "IN-USE" or "LOGIN-DELAY" or "SYS/TEMP" or "SYS/PERM" => throw new DirectoryServerException($"it cannot tell now: {Shown(reply)}"),
            _ => LoginReason.UnknownOrWrong,
        };
    }

    private async Task ReadCapabilitiesAsync(CancellationToken cancel)
    {
        _capabilities = null; // what was said in clear may have been said by anybody
        if (!IsOk(await CommandAsync("CAPA", cancel)))
        {
            return;
        }

        _capabilities = [];
        while (await connection.ReadLineAsync(cancel) is var line && line != ".")
        {
            _capabilities.Add(line.ToUpperInvariant());
        }
    }

    private async Task<string> CommandAsync(string command, CancellationToken cancel)
    {
        await connection.SendLineAsync(command, cancel);
        return await connection.ReadLineAsync(cancel);
    }

    private static bool IsOk(string line) => Begins(line, "+OK");

    private static bool IsError(string line) => Begins(line, "-ERR");

    private static bool Begins(string line, string word) =>
        line.StartsWith(word, StringComparison.OrdinalIgnoreCase) && (line.Length == word.Length || line[word.Length] == ' ');

    /// <summary>"-ERR [SYS/TEMP] words": the code, in upper case.</summary>
    private static string CodeOf(string line)
    {
        var open = line.IndexOf(' ', StringComparison.Ordinal) + 1;
        var close = open > 0 && open < line.Length && line[open] == '[' ? line.IndexOf(']', open) : -1;
        return close < 0 ? "" : line[(open + 1)..close].ToUpperInvariant();
    }

    private static string Shown(string line) => DisplayText.Sanitize(line);
}

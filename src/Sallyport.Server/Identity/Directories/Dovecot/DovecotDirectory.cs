using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Text;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Servers;

namespace Sallyport.Server.Identity.Directories.Dovecot;

/// <summary>
/// Dovecot's auth service as a judge of passwords, over a few persistent connections. PLAIN and LOGIN are asked as PLAIN, SCRAM is
/// led by Dovecot. Nothing a client sends reaches the protocol but as base64 made here.
/// </summary>
public sealed class DovecotDirectory : IExplainingDirectory, INamingDirectory, IExchangeDirectory, ITryableDirectory, IAsyncDisposable
{
    private readonly DovecotDirectoryOptions _options;
    private readonly TimeProvider _time;
    private readonly AuthPool _pool;
    private readonly RequestLimiter _limiter;
    private readonly UserLookup? _users;

    public DovecotDirectory(DovecotDirectoryOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _limiter = new RequestLimiter(options.RequestsMax, options.WaitingMax);
        _pool = new AuthPool(options, AuthSocket.Client, time);
        _users = options.UserServers.IsEmpty ? null : new UserLookup(options, time);
    }

    public string Name => _options.Name;

    public bool Leads(string mechanism) => mechanism != SaslServer.ScramPlus && _pool.Mechanisms.Contains(mechanism);

    /// <summary>The auth socket answers who is right, not who exists: that is a userdb's to say.</summary>
    public ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel) =>
        _users?.FindAsync(login, cancel) ?? new(new LoginVerdict.Denied(LoginReason.CannotLookUp));

    public ValueTask<LoginVerdict> CheckPasswordAsync(string login, string password, CancellationToken cancel) =>
        CheckAsync(null, login, password, null, cancel);

    public ValueTask<LoginVerdict> CheckPasswordAsync(LoginAttempt attempt, string login, string password, CancellationToken cancel) =>
        CheckAsync(attempt, login, password, null, cancel);

    public ValueTask<LoginVerdict> CheckPasswordAsync(
        string login, string password, IList<DirectoryStep> steps, CancellationToken cancel) => CheckAsync(null, login, password, steps, cancel);

    public ValueTask<LoginVerdict> BeginExchangeAsync(LoginAttempt attempt, ReadOnlyMemory<byte> first, CancellationToken cancel) =>
        BeginAsync(attempt, attempt.Mechanism, first, new StepList(null, "", ""), cancel);

    public async ValueTask<ImmutableArray<DirectoryStep>> TryAsync(CancellationToken cancel) =>
        [.. await _pool.TryAsync(cancel), .. _users is null ? [] : await _users.Pool.TryAsync(cancel)];

    public DirectoryEntry EntryOf(string login) => LoginNames.ToEntry(login, Name, _options.Addresses);

    public async ValueTask DisposeAsync()
    {
        await _pool.DisposeAsync();
        await (_users?.DisposeAsync() ?? default);
        _limiter.Dispose();
    }

    private async ValueTask<LoginVerdict> CheckAsync(
        LoginAttempt? attempt, string login, string password, IList<DirectoryStep>? steps, CancellationToken cancel)
    {
        var list = new StepList(steps, "dovecot", password);
        var answer = await BeginAsync(attempt, SaslServer.Plain, Encoding.UTF8.GetBytes($"\0{login}\0{password}"), list, cancel);
        if (answer is not LoginVerdict.Challenge { Exchange: var exchange })
        {
            return answer;
        }

        // PLAIN has nothing more to ask; a last word of the server before its success is taken note of.
        await using (exchange)
        {
            return await exchange.ContinueAsync(default, cancel) is var next and not LoginVerdict.Challenge
                ? next
                : new LoginVerdict.Unavailable("dovecot asks for more than PLAIN has");
        }
    }

    private async ValueTask<LoginVerdict> BeginAsync(
        LoginAttempt? attempt, string mechanism, ReadOnlyMemory<byte> first, StepList steps, CancellationToken cancel)
    {
        using var limit = new WaitLimit(_options.Timeout, _time, cancel);
        try
        {
            using var turn = await _limiter.EnterAsync(limit.Token);
            var (server, connection) = await _pool.GetAsync(limit.Token);
            steps.Ok($"connected to {server}; it offers {string.Join(' ', connection.Mechanisms)}");
            if (!connection.Mechanisms.Contains(mechanism))
            {
                return new LoginVerdict.Unavailable($"dovecot {server} does not offer {mechanism}: add it to auth_mechanisms there");
            }

            var (id, answers) = connection.NewRequest();
#pragma warning disable CA2000 // the caller's, with the challenge; otherwise it is over
            var exchange = new AuthExchange(this, server, connection, id, answers, steps);
#pragma warning restore CA2000
            var line = AuthLine.Write(Fields(attempt, id, mechanism, first));
            if (Encoding.UTF8.GetByteCount(line) > AuthLine.BytesMax)
            {
                await exchange.DisposeAsync();
                steps.Add("refused", "login and password are longer than Dovecot's protocol can carry");
                return new LoginVerdict.Denied(LoginReason.UnknownOrWrong);
            }

            return await exchange.AskAsync(line, limit.Token);
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            var why = $"dovecot: {WaitLimit.Why(exception, _options.Timeout)}";
            steps.Add("unavailable", why);
            return new LoginVerdict.Unavailable(why);
        }
    }

    /// <summary>A deadline by the directory's clock, for what nobody waits for.</summary>
    internal WaitLimit Within(TimeSpan limit) => new(limit, _time, default);

    /// <summary>A next step of an exchange, under the same bounds as the first.</summary>
    internal async ValueTask<LoginVerdict> GoOnAsync(AuthExchange exchange, string line, CancellationToken cancel)
    {
        using var limit = new WaitLimit(_options.Timeout, _time, cancel);
        try
        {
            using var turn = await _limiter.EnterAsync(limit.Token);
            return await exchange.AskAsync(line, limit.Token);
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            return new LoginVerdict.Unavailable($"dovecot: {WaitLimit.Why(exception, _options.Timeout)}");
        }
    }

    /// <summary>Who was found right is what the userdb says, where there is one; whom it does not know cannot read mail either.</summary>
    internal async ValueTask<LoginVerdict> CompleteAsync(LoginVerdict verdict, AuthReply reply, CancellationToken cancel) =>
        verdict is not LoginVerdict.Granted || reply is not AuthReply.Ok ok || _users is null ? verdict
        : await _users.FindAsync(Credentials.PrepareLogin(ok.User)!, cancel) is var found and not { Reason: LoginReason.UnknownLogin } ? found
        : new LoginVerdict.Denied(LoginReason.NoRights, "the password is right, and no userdb of dovecot knows the login");

    /// <summary>What Dovecot's verdict means here.</summary>
    internal LoginVerdict Interpret(AuthReply reply, ServerAddress server) => reply switch
    {
        AuthReply.Ok { Proxied: true } when !_options.AcceptProxied => new LoginVerdict.Unavailable(
            $"dovecot {server} would pass this login on to another server, and may not have judged its password: ask that server, "
            + "or set accept_proxied = true"),
        AuthReply.Ok { NoLogin: true, Proxied: false } => new LoginVerdict.Denied(LoginReason.Disabled),
        AuthReply.Ok ok when Credentials.PrepareLogin(ok.User) is { } login =>
            new LoginVerdict.Granted(EntryOf(login)),
        AuthReply.Fail { Code: "temp" } fail => new LoginVerdict.Unavailable(
            $"dovecot {server} cannot tell now{(fail.Reason.Length > 0 ? ": " + fail.Reason : "")}"),
        AuthReply.Fail { Code: "user_disabled" or "authz" } => new LoginVerdict.Denied(LoginReason.Disabled),
        AuthReply.Fail { Code: "pass_expired" } => new LoginVerdict.Denied(LoginReason.Expired),
        AuthReply.Fail => new LoginVerdict.Denied(LoginReason.UnknownOrWrong),
        AuthReply.Lost lost => new LoginVerdict.Unavailable($"dovecot {server}: {lost.Why}"),
        _ => new LoginVerdict.Unavailable($"dovecot {server}: its answer makes no sense"),
    };

    private IEnumerable<string> Fields(LoginAttempt? attempt, uint id, string mechanism, ReadOnlyMemory<byte> first)
    {
        yield return "AUTH";
        yield return id.ToString(CultureInfo.InvariantCulture);
        yield return mechanism;
        yield return "service=" + _options.Service;
        yield return "secured";
        yield return "nologin";
        if (!_options.Penalty)
        {
            yield return "no-penalty";
        }

        if (attempt is not null)
        {
            yield return "session=" + DisplayText.Sanitize(attempt.Session);
            yield return "rip=" + Plain(attempt.Client);
            yield return string.Create(CultureInfo.InvariantCulture, $"rport={attempt.ClientPort}");
            if (attempt.Server is { } server)
            {
                yield return "lip=" + Plain(server.Address);
                yield return string.Create(CultureInfo.InvariantCulture, $"lport={server.Port}");
            }
        }

        yield return "resp=" + Convert.ToBase64String(first.Span); // the last one, as the protocol wants it
    }

    /// <summary>Without the scope of a link-local address, which Dovecot cannot read.</summary>
    private static IPAddress Plain(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : new IPAddress(address.GetAddressBytes());
}

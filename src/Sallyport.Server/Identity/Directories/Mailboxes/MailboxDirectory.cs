using System.Collections.Immutable;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Imap;
using Sallyport.Server.Identity.Directories.Pop3;
using Sallyport.Server.Identity.Directories.Servers;

namespace Sallyport.Server.Identity.Directories.Mailboxes;

/// <summary>
/// The site's mailbox server as a judge of passwords: each login is tried there, over IMAP or POP3. It tells neither an unknown login
/// from a wrong password nor who exists.
/// </summary>
public sealed class MailboxDirectory : IExplainingDirectory, INamingDirectory, ITryableDirectory, IDisposable
{
    private static readonly TimeSpan GoodbyeMax = TimeSpan.FromSeconds(2);

    private readonly MailboxDirectoryOptions _options;
    private readonly TimeProvider _time;
    private readonly ServerOrder<ServerAddress> _servers;
    private readonly ServerConnector _connector;
    private readonly RequestLimiter _limiter;

    public MailboxDirectory(MailboxDirectoryOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _servers = new ServerOrder<ServerAddress>(options.Servers, time);
        _connector = new ServerConnector(options.Trust);
        _limiter = new RequestLimiter(options.ConnectionsMax, options.WaitingMax);
    }

    public string Name => _options.Name;

    public ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel) => new(new LoginVerdict.Denied(LoginReason.CannotLookUp));

    public ValueTask<LoginVerdict> CheckPasswordAsync(string login, string password, CancellationToken cancel) =>
        CheckAsync(null, login, password, null, cancel);

    public ValueTask<LoginVerdict> CheckPasswordAsync(LoginAttempt attempt, string login, string password, CancellationToken cancel) =>
        CheckAsync(attempt, login, password, null, cancel);

    public ValueTask<LoginVerdict> CheckPasswordAsync(
        string login, string password, IList<DirectoryStep> steps, CancellationToken cancel) => CheckAsync(null, login, password, steps, cancel);

    public async ValueTask<ImmutableArray<DirectoryStep>> TryAsync(CancellationToken cancel)
    {
        var found = new List<DirectoryStep>();
        foreach (var server in _options.Servers)
        {
            var what = $"{Protocol} {server}";
            try
            {
                var (connection, login) = await OpenAsync(server, static _ => { }, cancel);
                await LeaveAsync(connection, login);
                found.Add(new(what, "ok", _options.Tls ? "answers; its certificate is right" : "answers, in clear"));
            }
            catch (Exception exception) when (!cancel.IsCancellationRequested)
            {
                found.Add(new(what, "failed", WaitLimit.Why(exception, _options.ConnectTimeout)));
            }
        }

        return [.. found];
    }

    public DirectoryEntry EntryOf(string login) => LoginNames.ToEntry(login, Name, _options.Addresses);

    public void Dispose() => _limiter.Dispose();

    private string Protocol => _options.Protocol == MailboxProtocol.Imap ? "imap" : "pop3";

    private async ValueTask<LoginVerdict> CheckAsync(
        LoginAttempt? attempt, string login, string password, IList<DirectoryStep>? steps, CancellationToken cancel)
    {
        using var limit = new WaitLimit(_options.Timeout, _time, cancel);
        try
        {
            using var turn = await _limiter.EnterAsync(limit.Token);
            return await AskAsync(attempt, login, password, new StepList(steps, Protocol, password), limit.Token);
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            return new LoginVerdict.Unavailable($"{Protocol}: {WaitLimit.Why(exception, _options.Timeout)}");
        }
    }

    /// <summary>One server after the other, until one has judged.</summary>
    private async Task<LoginVerdict> AskAsync(
        LoginAttempt? attempt, string login, string password, StepList steps, CancellationToken cancel)
    {
        var troubles = new List<string>();
        foreach (var server in _servers.Now())
        {
            try
            {
                var reason = await AskAsync(server, attempt, login, password, steps, cancel);
                _servers.Succeeded(server);
                return reason == LoginReason.None ? new LoginVerdict.Granted(EntryOf(login)) : new LoginVerdict.Denied(reason);
            }
            catch (Exception exception)
            {
                _servers.Failed(server);
                var over = cancel.IsCancellationRequested;
                troubles.Add($"{server}: {WaitLimit.Why(exception, over ? _options.Timeout : _options.ConnectTimeout)}");
                steps.Add("unavailable", troubles[^1]);
                if (over)
                {
                    break;
                }
            }
        }

        return new LoginVerdict.Unavailable($"{Protocol} {string.Join("; ", troubles)}");
    }

    private async Task<LoginReason> AskAsync(
        ServerAddress server, LoginAttempt? attempt, string login, string password, StepList steps, CancellationToken cancel)
    {
        var (connection, mailbox) = await OpenAsync(server, steps.Ok, cancel);
        var reason = default(LoginReason?);
        try
        {
            if (_options.TellClient && attempt is not null)
            {
                await mailbox.TellClientAsync(attempt, cancel);
            }

            reason = await mailbox.LogInAsync(login, password, cancel);
            steps.Add(reason == LoginReason.None ? "ok" : "refused", $"{server} has judged the login: {WordOf(reason.Value)}");
            return reason.Value;
        }
        finally
        {
            // The client need not wait for our goodbye.
            _ = reason is null ? connection.DisposeAsync().AsTask() : LeaveAsync(connection, mailbox);
        }
    }

    private static string WordOf(LoginReason reason) => reason switch
    {
        LoginReason.None => "right",
        LoginReason.Disabled => "disabled",
        LoginReason.Expired => "expired",
        _ => "refused",
    };

    /// <summary>Connected, under TLS as configured, greeted.</summary>
    private async Task<(LineConnection Connection, IMailboxLogin Login)> OpenAsync(
        ServerAddress server, Action<string> step, CancellationToken cancel)
    {
        using var limit = new WaitLimit(_options.ConnectTimeout, _time, cancel);
#pragma warning disable CA2000 // the caller's; when it does not come to that it is closed below
        var stream = await _connector.OpenAsync(server, limit.Token);
        step($"connected to {server}" + (server.ImplicitTls ? $"; {ServerConnector.Describe(stream)}, the certificate is right" : ""));
        var connection = new LineConnection(stream, (clear, token) => _connector.SecureAsync(server, clear, token));
#pragma warning restore CA2000
        try
        {
            IMailboxLogin login = _options.Protocol == MailboxProtocol.Imap ? new ImapLogin(connection, step) : new Pop3Login(connection, step);
            await login.BeginAsync(_options.Tls && !server.ImplicitTls, limit.Token);
            return (connection, login);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task LeaveAsync(LineConnection connection, IMailboxLogin login)
    {
        using var limit = new WaitLimit(GoodbyeMax, _time, default);
        try
        {
            await login.LeaveAsync(limit.Token);
        }
        catch (Exception exception) when (
            exception is IOException or DirectoryServerException or OperationCanceledException or ObjectDisposedException)
        {
            // The verdict stands.
        }

        await connection.DisposeAsync();
    }
}

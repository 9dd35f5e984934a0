using System.Globalization;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Text;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Servers;

namespace Sallyport.Server.Identity.Directories.Dovecot;

/// <summary>Asks Dovecot's userdbs who exists, and what may be known of them without a secret.</summary>
internal sealed class UserLookup(DovecotDirectoryOptions options, TimeProvider time) : IAsyncDisposable
{
    private const int ItemsMax = 1000;

    private readonly AuthPool _pool = new(options, AuthSocket.Users, time);
    private readonly RequestLimiter _limiter = new(options.RequestsMax, options.WaitingMax);

    public AuthPool Pool => _pool;

    /// <param name="login">Prepared. One of our own domain is also asked for without it, where Dovecot knows it so.</param>
    public async ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel)
    {
        var answer = await AskAsync(login, cancel);
        var domain = "@" + options.Addresses.Domain;
        return answer is { Reason: LoginReason.UnknownLogin } && domain.Length > 1 && login.Length > domain.Length
            && login.EndsWith(domain, StringComparison.Ordinal)
            ? await AskAsync(login[..^domain.Length], cancel)
            : answer;
    }

    public async ValueTask DisposeAsync()
    {
        await _pool.DisposeAsync();
        _limiter.Dispose();
    }

    private async ValueTask<LoginVerdict> AskAsync(string login, CancellationToken cancel)
    {
        using var limit = new WaitLimit(options.Timeout, time, cancel);
        try
        {
            using var turn = await _limiter.EnterAsync(limit.Token);
            var (server, connection) = await _pool.GetAsync(limit.Token);
            var (id, answers) = connection.NewRequest();
            var heard = connection.Heard;
            try
            {
                await connection.SendAsync(
                    AuthLine.Write("USER", id.ToString(CultureInfo.InvariantCulture), login, "service=" + options.Service), limit.Token);
                return Interpret(await answers.ReadAsync(limit.Token), server);
            }
            catch (OperationCanceledException)
            {
                connection.LoseIfSilentSince(heard);
                throw;
            }
            finally
            {
                await connection.ForgetAsync(id, cancelled: false, default);
            }
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            return new LoginVerdict.Unavailable($"dovecot's userdb: {WaitLimit.Why(exception, options.Timeout)}");
        }
    }

    private LoginVerdict Interpret(AuthReply reply, ServerAddress server) => reply switch
    {
        AuthReply.Known user when Credentials.PrepareLogin(user.Name) is { } login =>
            IsOut(user.Fields) ? new LoginVerdict.Denied(LoginReason.Disabled) : new LoginVerdict.Granted(EntryOf(login, user.Fields)),
        AuthReply.NotFound => new LoginVerdict.Denied(LoginReason.UnknownLogin),
        AuthReply.Fail fail => new LoginVerdict.Unavailable(
            $"dovecot {server} cannot tell now{(fail.Reason.Length > 0 ? ": " + fail.Reason : "")}"),
        AuthReply.Lost lost => new LoginVerdict.Unavailable($"dovecot {server}: {DisplayText.Sanitize(lost.Why)}"),
        _ => new LoginVerdict.Unavailable($"dovecot {server}: its answer makes no sense"),
    };

    /// <summary>"nologin", as in a passdb, or a field of our own; "no" and empty mean nothing.</summary>
    private static bool IsOut(string[] fields) =>
        AuthLine.Find(fields, "nologin") is not null || AuthLine.Find(fields, "sallyport_disabled") is not (null or "" or "no" or "n" or "0");

    private DirectoryEntry EntryOf(string login, string[] fields)
    {
        var entry = LoginNames.ToEntry(login, options.Name, options.Addresses);
        var addresses = Items(fields, "sallyport_addresses")
            .Select(address => MailboxParser.TryParse(address, out var mailbox) ? mailbox!.Canonical : null).OfType<string>();
        return entry with
        {
            Addresses = [.. entry.Addresses.Concat(addresses).Distinct(StringComparer.Ordinal)],
            Groups = [.. Items(fields, "acl_groups").Concat(Items(fields, "sallyport_groups")).Distinct(StringComparer.OrdinalIgnoreCase)],
        };
    }

    private static IEnumerable<string> Items(string[] fields, string name) =>
        (AuthLine.Find(fields, name) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Take(ItemsMax);
}

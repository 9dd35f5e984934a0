using System.Globalization;
using System.Threading.Channels;
using Sallyport.Mail.Text;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Servers;

namespace Sallyport.Server.Identity.Directories.Dovecot;

/// <summary>One request at Dovecot, from AUTH to OK or FAIL.</summary>
internal sealed class AuthExchange(
    DovecotDirectory directory, ServerAddress server, AuthConnection connection, uint id, ChannelReader<AuthReply> answers, StepList steps)
    : IDirectoryExchange
{
    private static readonly TimeSpan CancelMax = TimeSpan.FromSeconds(2);

    private LoginVerdict? _afterLast;
    private bool _over;

    public ValueTask<LoginVerdict> ContinueAsync(ReadOnlyMemory<byte> response, CancellationToken cancel)
    {
        if (_afterLast is { } verdict)
        {
            // Dovecot had its last word with its success; the client's answer to it is empty.
            return new(response.IsEmpty ? verdict : new LoginVerdict.Denied(LoginReason.UnknownOrWrong));
        }

        var line = AuthLine.Write("CONT", id.ToString(CultureInfo.InvariantCulture), Convert.ToBase64String(response.Span));
        return line.Length > AuthLine.BytesMax
            ? new(new LoginVerdict.Denied(LoginReason.UnknownOrWrong))
            : directory.GoOnAsync(this, line, cancel);
    }

    /// <summary>Sends a line and takes the answer to it.</summary>
    public async Task<LoginVerdict> AskAsync(string line, CancellationToken cancel)
    {
        var heard = connection.Heard;
        try
        {
            await connection.SendAsync(line, cancel);
            var reply = await answers.ReadAsync(cancel);
            if (reply is AuthReply.Continue next)
            {
                return new LoginVerdict.Challenge(next.Octets, this);
            }

            var verdict = await directory.CompleteAsync(directory.Interpret(reply, server), reply, cancel);
            steps.Add(
                verdict is LoginVerdict.Granted ? "ok" : verdict is LoginVerdict.Unavailable ? "unavailable" : "refused", Describe(reply));
            await EndAsync();
            return reply is AuthReply.Ok { Last: { } last } && verdict is LoginVerdict.Granted ? AfterLast(last, verdict) : verdict;
        }
        catch (OperationCanceledException)
        {
            await DisposeAsync();
            connection.LoseIfSilentSince(heard);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_over)
        {
            _over = true;
            using var limit = directory.Within(CancelMax);
            try
            {
                await connection.ForgetAsync(id, cancelled: true, limit.Token);
            }
            catch (OperationCanceledException)
            {
                // The connection is lost then, and the request with it.
            }
        }
    }

    private async Task EndAsync()
    {
        _over = true;
        await connection.ForgetAsync(id, cancelled: false, default);
    }

    private LoginVerdict.Challenge AfterLast(ReadOnlyMemory<byte> last, LoginVerdict verdict)
    {
        _afterLast = verdict;
        return new LoginVerdict.Challenge(last, this);
    }

    private static string Describe(AuthReply reply) => reply switch
    {
        AuthReply.Ok ok => $"OK, user {DisplayText.Sanitize(ok.User)}",
        AuthReply.Fail fail => $"FAIL {fail.Code} {fail.Reason}".TrimEnd(),
        AuthReply.Lost lost => lost.Why,
        _ => "",
    };
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Sallyport.Mail.Text;
using Sallyport.Server.Identity.Directories.Servers;

namespace Sallyport.Server.Identity.Directories.Dovecot;

/// <summary>What a socket of Dovecot's auth service is for.</summary>
internal enum AuthSocket
{
    /// <summary>Judging secrets: the auth-client protocol.</summary>
    Client,

    /// <summary>Looking up users: the auth-master protocol, of which we use USER alone.</summary>
    Users,
}

/// <summary>
/// One connection to Dovecot's auth service, shared by many logins: each request has a number, and answers come in any order. When
/// the connection ends, whoever waits on it is told at once.
/// </summary>
internal sealed class AuthConnection : IAsyncDisposable
{
    private const int LineBytesMax = 16 * 1024;
    private const int HandshakeLinesMax = 256;
    private const int PendingAnswersMax = 8;

    private readonly Stream _stream;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Lock _gate = new();
    private readonly Dictionary<uint, Channel<AuthReply>> _pending = [];
    private readonly CancellationTokenSource _closing = new();
    private readonly byte[] _input = new byte[LineBytesMax];
    private Task _reading = Task.CompletedTask;
    private string? _lost;
    private uint _lastId;
    private int _heard;
    private int _from;
    private int _to;

    private AuthConnection(Stream stream) => _stream = stream;

    /// <summary>SASL mechanisms the server listed.</summary>
    public HashSet<string> Mechanisms { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Counts what was heard.</summary>
    public int Heard => Volatile.Read(ref _heard);

    public bool IsUsable => Volatile.Read(ref _lost) is null;

    /// <summary>Shakes hands: versions, numbers, mechanisms. The stream is then ours, also when it fails.</summary>
    /// <exception cref="DirectoryServerException">This is no auth service we understand.</exception>
    public static async Task<AuthConnection> OpenAsync(Stream stream, AuthSocket kind, CancellationToken cancel)
    {
        var connection = new AuthConnection(stream);
        try
        {
            // Two connections of one number would shut each other out: each has one of its own.
            var number = RandomNumberGenerator.GetInt32(1, int.MaxValue).ToString(CultureInfo.InvariantCulture);
            await connection.WriteAsync(kind == AuthSocket.Client
                ? AuthLine.Write("VERSION", "1", "2") + AuthLine.Write("CPID", number) : AuthLine.Write("VERSION", "1", "0"), cancel);
            await connection.ShakeHandsAsync(kind == AuthSocket.Client ? "DONE" : "SPID", cancel);
            connection._reading = connection.ReadAnswersAsync();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>A new request; its answers come from the reader until it is dropped with <see cref="ForgetAsync"/>.</summary>
    public (uint Id, ChannelReader<AuthReply> Answers) NewRequest()
    {
        var answers = Channel.CreateBounded<AuthReply>(PendingAnswersMax);
        lock (_gate)
        {
            var id = _lastId = _lastId == uint.MaxValue ? 1 : _lastId + 1;
            if (_lost is { } why)
            {
                answers.Writer.TryWrite(new AuthReply.Lost(why));
            }
            else
            {
                _pending[id] = answers;
            }

            return (id, answers.Reader);
        }
    }

    public async Task SendAsync(string line, CancellationToken cancel)
    {
        try
        {
            await WriteAsync(line, cancel);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            Lose("the connection broke: " + ServerConnector.Innermost(exception));
        }
    }

    /// <summary>Nobody waits for this request any more.</summary>
    /// <param name="cancelled">It was not answered to its end: Dovecot is told.</param>
    public async Task ForgetAsync(uint id, bool cancelled, CancellationToken cancel)
    {
        bool known;
        lock (_gate)
        {
            known = _pending.Remove(id);
        }

        if (known && cancelled && IsUsable)
        {
            await SendAsync(AuthLine.Write("CANCEL", id.ToString(CultureInfo.InvariantCulture)), cancel);
        }
    }

    /// <summary>A server that says nothing to anybody within a whole deadline hangs: the next login tries another connection.</summary>
    public void LoseIfSilentSince(int heard)
    {
        if (Heard == heard)
        {
            Lose("it answers nothing any more");
        }
    }

    public async ValueTask DisposeAsync()
    {
        Lose("the connection was closed");
        await _closing.CancelAsync();
        await _stream.DisposeAsync();
        await _reading;
        _closing.Dispose();
        _writing.Dispose();
    }

    /// <param name="last">The word the greeting ends with.</param>
    private async Task ShakeHandsAsync(string last, CancellationToken cancel)
    {
        var version = false;
        for (var lines = 0; lines < HandshakeLinesMax; lines++)
        {
            var fields = AuthLine.Read(await ReadLineAsync(cancel));
            switch (fields[0])
            {
                case "VERSION" when fields is [_, "1", ..]:
                    version = true;
                    break;
                case "VERSION":
                    throw new DirectoryServerException(
                        "it speaks another version of the auth protocol: " + DisplayText.Sanitize(string.Join('.', fields[1..])));
                case "MECH" when fields.Length > 1:
                    Mechanisms.Add(fields[1]);
                    break;
                case var word when word == last && version:
                    return;
                case var word when word == last:
                    throw new DirectoryServerException("it names no version of the auth protocol");
            }
        }

        throw new DirectoryServerException("it does not come to the end of its greeting: is this the right socket of Dovecot's auth service?");
    }

    private async Task ReadAnswersAsync()
    {
        try
        {
            while (true)
            {
                var fields = AuthLine.Read(await ReadLineAsync(_closing.Token));
                Interlocked.Increment(ref _heard);
                if (AuthReply.Read(fields) is { } answer)
                {
                    Give(answer.Id, answer.Reply);
                }
            }
        }
        catch (Exception exception)
        {
            Lose(exception is DirectoryServerException ? exception.Message : "the connection broke: " + ServerConnector.Innermost(exception));
        }
    }

    private void Give(uint id, AuthReply reply)
    {
        lock (_gate)
        {
            // An answer to nobody is one that came too late.
            if (_pending.TryGetValue(id, out var answers) && !answers.Writer.TryWrite(reply))
            {
                _pending.Remove(id);
            }
        }
    }

    /// <summary>Tells everybody who waits, and everybody who comes.</summary>
    private void Lose(string why)
    {
        lock (_gate)
        {
            _lost ??= why;
            foreach (var answers in _pending.Values)
            {
                answers.Writer.TryWrite(new AuthReply.Lost(why));
            }

            _pending.Clear();
        }
    }

    private async Task WriteAsync(string lines, CancellationToken cancel)
    {
        await _writing.WaitAsync(cancel);
        try
        {
            await _stream.WriteAsync(Encoding.UTF8.GetBytes(lines), cancel);
        }
        catch (OperationCanceledException)
        {
            Lose("it does not take our requests"); // part of a line may have left
            throw;
        }
        finally
        {
            _writing.Release();
        }
    }

    private async ValueTask<string> ReadLineAsync(CancellationToken cancel)
    {
        while (true)
        {
            var end = Array.IndexOf(_input, (byte)'\n', _from, _to - _from);
            if (end >= 0)
            {
                var line = Encoding.UTF8.GetString(_input, _from, end - _from);
                _from = end + 1;
                return line;
            }

            _input.AsSpan(_from, _to - _from).CopyTo(_input);
            (_from, _to) = (0, _to - _from);
            if (_to == _input.Length)
            {
                throw new DirectoryServerException($"it sent a line of more than {LineBytesMax} octets");
            }

            var read = await _stream.ReadAsync(_input.AsMemory(_to), cancel);
            _to += read > 0 ? read : throw new DirectoryServerException("it closed the connection");
        }
    }
}

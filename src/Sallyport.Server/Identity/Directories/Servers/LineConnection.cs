using System.Text;

namespace Sallyport.Server.Identity.Directories.Servers;

/// <summary>
/// Lines to and from a server we do not trust with our memory: each has a limit, and so has their number in an answer. The caller's
/// token is the deadline.
/// </summary>
/// <param name="secure">Handshakes as the client on the stream and gives the one under TLS.</param>
internal sealed class LineConnection(Stream stream, Func<Stream, CancellationToken, Task<Stream>> secure) : IAsyncDisposable
{
    public const int LineBytesMax = 2048;
    public const int LinesMax = 128;

    private readonly byte[] _input = new byte[LineBytesMax * 2];
    private Stream _stream = stream;
    private int _from;
    private int _to;
    private int _lines;

    /// <summary>The next line, without CRLF or LF; what is not UTF-8 in it is replaced.</summary>
    /// <exception cref="DirectoryServerException">It closed, or says more than any server would.</exception>
    public async ValueTask<string> ReadLineAsync(CancellationToken cancel)
    {
        CountLine();
        while (true)
        {
            var end = Array.IndexOf(_input, (byte)'\n', _from, _to - _from);
            var length = (end < 0 ? _to : end) - _from;
            if (length > LineBytesMax)
            {
                throw new DirectoryServerException($"it sent a line of more than {LineBytesMax} octets");
            }

            if (end >= 0)
            {
                var line = _input.AsSpan(_from, length);
                _from = end + 1;
                return Encoding.UTF8.GetString(line.EndsWith("\r"u8) ? line[..^1] : line);
            }

            await FillAsync(cancel);
        }
    }

    /// <summary>Passes over octets that are no lines: the content of a literal.</summary>
    public async ValueTask SkipAsync(int octets, CancellationToken cancel)
    {
        CountLine();
        while (octets > 0)
        {
            if (_from == _to)
            {
                await FillAsync(cancel);
            }

            var part = Math.Min(octets, _to - _from);
            _from += part;
            octets -= part;
        }
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> octets, CancellationToken cancel)
    {
        _lines = 0;
        await _stream.WriteAsync(octets, cancel);
        await _stream.FlushAsync(cancel);
    }

    public ValueTask SendLineAsync(string line, CancellationToken cancel) => SendAsync(Encoding.UTF8.GetBytes(line + "\r\n"), cancel);

    /// <summary>After the server agreed to it. Nothing may have come behind its answer (CVE-2011-0411, as a client).</summary>
    public async ValueTask StartTlsAsync(CancellationToken cancel)
    {
        if (_from != _to)
        {
            throw new DirectoryServerException("it sent data behind its answer to STARTTLS: this looks like an attack");
        }

        _stream = await secure(_stream, cancel);
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private void CountLine()
    {
        if (++_lines > LinesMax)
        {
            throw new DirectoryServerException($"it answers with more than {LinesMax} lines");
        }
    }

    private async ValueTask FillAsync(CancellationToken cancel)
    {
        if (_from > 0)
        {
            _input.AsSpan(_from, _to - _from).CopyTo(_input);
            (_from, _to) = (0, _to - _from);
        }

        var read = await _stream.ReadAsync(_input.AsMemory(_to), cancel);
        if (read == 0)
        {
            throw new DirectoryServerException("it closed the connection");
        }

        _to += read;
    }
}

using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Dovecot;

/// <summary>Dovecot's end of a connection, which says and reads lines as a test wants.</summary>
internal sealed class LinePeer(TcpClient client) : IDisposable
{
    private readonly StreamReader _reader = new(client.GetStream(), Encoding.UTF8);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async Task<string> ReadAsync() => await _reader.ReadLineAsync(Cancel) ?? "(closed)";

    public async Task WriteAsync(string text) => await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text), Cancel);

    public void Dispose()
    {
        _reader.Dispose();
        client.Dispose();
    }
}

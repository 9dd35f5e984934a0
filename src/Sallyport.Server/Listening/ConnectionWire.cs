using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Submission;

namespace Sallyport.Server.Listening;

/// <summary>A connection of the transport, plain at first, under TLS after <see cref="StartTlsAsync"/>.</summary>
internal sealed class ConnectionWire(ConnectionContext connection, Func<ServerCertificate> certificate) : ISubmissionWire, IAsyncDisposable
{
    private static readonly TimeSpan GoodbyeMax = TimeSpan.FromSeconds(2);

    private readonly IPEndPoint _remote = (IPEndPoint)connection.RemoteEndPoint!;
    private DuplexStream? _transport;
    private SslStream? _tls;

    public IPAddress Client => _remote.Address.IsIPv4MappedToIPv6 ? _remote.Address.MapToIPv4() : _remote.Address;

    public int ClientPort => _remote.Port;

    public IPEndPoint? Server => connection.LocalEndPoint as IPEndPoint;

    public PipeReader Input { get; private set; } = connection.Transport.Input;

    public PipeWriter Output { get; private set; } = connection.Transport.Output;

    public async Task<TlsFacts> StartTlsAsync(CancellationToken cancel)
    {
        var ours = certificate();
        _transport = new DuplexStream(connection.Transport);
        _tls = new SslStream(_transport, leaveInnerStreamOpen: true);
        await _tls.AuthenticateAsServerAsync(ours.Options, cancel);
        Input = PipeReader.Create(_tls, new StreamPipeReaderOptions(bufferSize: 16 * 1024, minimumReadSize: 4096, leaveOpen: true));
        Output = PipeWriter.Create(_tls, new StreamPipeWriterOptions(leaveOpen: true));
        return new TlsFacts(NameOf(_tls), _tls.NegotiatedCipherSuite.ToString(), ours.ServerEndPoint);
    }

    private static string NameOf(SslStream tls) => tls.SslProtocol.ToString() switch
    {
        "Tls12" => "TLSv1.2",
        "Tls13" => "TLSv1.3",
        var other => other,
    };

    public void Abort() => connection.Abort();

    /// <summary>Says goodbye in TLS too, so that the client can tell an end from a cut.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_tls is null)
        {
            return;
        }

        try
        {
            await Output.CompleteAsync().AsTask().WaitAsync(GoodbyeMax);
            await _tls.ShutdownAsync().WaitAsync(GoodbyeMax);
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException or TimeoutException or ObjectDisposedException)
        {
            // The client is gone already.
        }

        await Input.CompleteAsync();
        await _tls.DisposeAsync();
        await _transport!.DisposeAsync();
    }
}

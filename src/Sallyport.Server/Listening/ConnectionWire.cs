using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Certificates;
using Sallyport.Server.Configuration;
using Sallyport.Server.Submission;

namespace Sallyport.Server.Listening;

/// <summary>A connection of the transport, plain at first, under TLS after <see cref="StartTlsAsync"/>.</summary>
internal sealed class ConnectionWire(
    ConnectionContext connection, CertificateSet certificates, ClientCertificates clientCertificates, TimeProvider time)
    : ISubmissionWire, IAsyncDisposable
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
        var ours = certificates.Default ?? throw new InvalidOperationException("without [tls] no listener offers TLS");
        ClientHandshake? handshake = null;
        _transport = new DuplexStream(connection.Transport);
        _tls = new SslStream(_transport, leaveInnerStreamOpen: true);
        try
        {
            await _tls.AuthenticateAsServerAsync(
                (_, hello, _, _) =>
                {
                    ours = certificates.Find(hello.ServerName)!;
                    handshake = ours.Clients is not null && clientCertificates != ClientCertificates.None
                        ? new ClientHandshake(clientCertificates == ClientCertificates.Required)
                        : null;
                    return ValueTask.FromResult(ours.OptionsFor(handshake, ApplicationProtocols.Submission));
                },
                null,
                cancel);
        }
        catch (AuthenticationException) when (handshake is { IsMissing: true })
        {
            throw new AuthenticationException("the client showed no certificate, which this listener requires");
        }

        var verdict = handshake is { Leaf: not null } ? await ours.Clients!.VerifyAsync(handshake, time) : new CertificateVerdict(null, "");
        if (handshake is { IsRequired: true } && verdict.Certificate is null)
        {
            throw new AuthenticationException("the client certificate, which this listener requires, is not accepted: " + verdict.Trouble);
        }

        // A client that is silent costs no buffer, neither here nor in TLS: there is one once octets are there.
        Input = PipeReader.Create(
            _tls, new StreamPipeReaderOptions(bufferSize: 16 * 1024, minimumReadSize: 4096, leaveOpen: true, useZeroByteReads: true));
        Output = PipeWriter.Create(_tls, new StreamPipeWriterOptions(leaveOpen: true));
        return new TlsFacts(NameOf(_tls), _tls.NegotiatedCipherSuite.ToString(), ours.ServerEndPoint)
        {
            Client = verdict.Certificate,
            CertificateTrouble = verdict.Trouble,
        };
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
            await Output.CompleteAsync().AsTask().WaitAsync(GoodbyeMax, time);
            await _tls.ShutdownAsync().WaitAsync(GoodbyeMax, time);
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException or TimeoutException or ObjectDisposedException
            or CryptographicException or AuthenticationException)
        {
            // The client is gone already, or broke its TLS (a renegotiation does).
        }
        finally
        {
            await Input.CompleteAsync();
            await _tls.DisposeAsync();
            await _transport!.DisposeAsync();
        }
    }
}

using System.IO.Pipelines;
using System.Net;
using Sallyport.Mail.Smtp;

namespace Sallyport.Server.Submission;

/// <summary>One client's connection as the conversation sees it. The transport behind it is the listener's business.</summary>
public interface ISubmissionWire
{
    IPAddress Client { get; }

    int ClientPort { get; }

    /// <summary>The address and port the client connected to; null when the transport does not say.</summary>
    IPEndPoint? Server => null;

    /// <summary>Changes with <see cref="StartTlsAsync"/>.</summary>
    PipeReader Input { get; }

    PipeWriter Output { get; }

    /// <summary>Handshakes as the server. Throws when the client does not.</summary>
    Task<TlsFacts> StartTlsAsync(CancellationToken cancel);

    /// <summary>Drops the connection at once.</summary>
    void Abort();
}

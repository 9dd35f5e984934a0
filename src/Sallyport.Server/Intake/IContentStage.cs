using Sallyport.Mail.Smtp;

namespace Sallyport.Server.Intake;

/// <summary>
/// Sees one message's content while it streams by, without a copy: a digest, a signature, a filter. It runs on the session's own
/// task, between reading and storing, so it does not wait for anything and is quick. Spans are valid during the call only.
/// </summary>
public interface IContentStage
{
    /// <summary>The header as its author sent it, all fields with their CRLFs, without the empty line. Once, before the body.</summary>
    void OnHeader(ReadOnlySpan<byte> header);

    /// <summary>Octets of the body as they are stored: every newline CRLF, dot-stuffing undone. Pieces of any size, cut anywhere.</summary>
    void OnBody(ReadOnlySpan<byte> body);

    /// <summary>The content is complete and about to be committed.</summary>
    /// <param name="header">As it will be stored, after RFC 6409's fix-ups, up to and with the empty line.</param>
    /// <param name="fields">What the stage adds goes to the head of the header.</param>
    /// <returns>A refusal (4xx or 5xx) in place of the commit; null to go on.</returns>
    Reply? Complete(ReadOnlySpan<byte> header, AddedFields fields);
}

/// <summary>Where a message comes from.</summary>
public enum ContentSource
{
    /// <summary>A client that has logged in.</summary>
    Submission,

    /// <summary>A delivery report of ours.</summary>
    Report,

    /// <summary>An alert to the administrator.</summary>
    Alert,
}

/// <summary>What is known of a message when its content begins.</summary>
/// <param name="Login">Empty for messages of our own.</param>
/// <param name="Envelope">Its recipients so far.</param>
public sealed record ContentOrigin(ContentSource Source, QueueId Id, string Login, Envelope Envelope);

/// <summary>Makes one stage for one message; null when the stage has nothing to do with it.</summary>
public delegate IContentStage? ContentStageFactory(ContentOrigin origin);

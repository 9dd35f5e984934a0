using System.Collections.Immutable;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Intake;

/// <summary>
/// One message's way through its stages. A stage that throws never ends a session: the message is refused with 451, so that the client
/// keeps it, and the fault is logged as an error.
/// </summary>
public sealed class ContentFlow
{
    private readonly QueueId _id;
    private readonly ImmutableArray<IContentStage> _stages;
    private readonly IMailLog _log;

    internal ContentFlow(QueueId id, ImmutableArray<IContentStage> stages, IMailLog log) => (_id, _stages, _log) = (id, stages, log);

    /// <summary>A stage has thrown: no stage sees any more of this message.</summary>
    public bool HasFailed { get; private set; }

    public void OnHeader(ReadOnlySpan<byte> header)
    {
        foreach (var stage in Active)
        {
            try
            {
                stage.OnHeader(header);
            }
            catch (Exception exception)
            {
                Failed(stage.GetType().Name, exception);
                return;
            }
        }
    }

    public void OnBody(ReadOnlySpan<byte> body)
    {
        foreach (var stage in Active)
        {
            try
            {
                stage.OnBody(body);
            }
            catch (Exception exception)
            {
                Failed(stage.GetType().Name, exception);
                return;
            }
        }
    }

    /// <summary>The last word of the stages, and the header with what they have added.</summary>
    /// <param name="header">Up to and with the empty line.</param>
    public ContentResult Complete(ReadOnlyMemory<byte> header)
    {
        var fields = new AddedFields();
        foreach (var stage in Active)
        {
            try
            {
                if (stage.Complete(header.Span, fields) is { } refusal)
                {
                    return new ContentResult(header, refusal);
                }
            }
            catch (Exception exception)
            {
                Failed(stage.GetType().Name, exception);
            }
        }

        return HasFailed ? new ContentResult(header, Replies.StageFailed)
            : new ContentResult(fields.IsEmpty ? header : fields.Before(header), null);
    }

    internal ContentFlow Failed(string stage, Exception exception)
    {
        HasFailed = true;
        _log.Write(new MailEvent.Problem($"{_id}: content stage {stage} failed: {exception.GetType().Name}: {exception.Message}"));
        return this;
    }

    private ImmutableArray<IContentStage> Active => HasFailed ? [] : _stages;
}

/// <param name="Header">Up to and with the empty line, with what the stages have added.</param>
/// <param name="Refusal">In place of the commit; null to go on.</param>
public readonly record struct ContentResult(ReadOnlyMemory<byte> Header, Reply? Refusal);

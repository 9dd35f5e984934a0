using System.Collections.Immutable;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Intake;

/// <summary>The stages that every message passes on its way into the spool: submitted mail, delivery reports and alerts alike.</summary>
/// <param name="factories">In their order; each is asked once per message.</param>
public sealed class ContentPipeline(ImmutableArray<ContentStageFactory> factories, IMailLog log)
{
    /// <summary>No stages: content passes untouched and costs nothing.</summary>
    public static ContentPipeline None { get; } = new([], new SilentLog());

    /// <summary>The stages of one message; null when none has to do with it.</summary>
    public ContentFlow? Begin(ContentOrigin origin)
    {
        if (factories.IsEmpty)
        {
            return null;
        }

        var stages = ImmutableArray.CreateBuilder<IContentStage>(factories.Length);
        foreach (var factory in factories)
        {
            try
            {
                if (factory(origin) is { } stage)
                {
                    stages.Add(stage);
                }
            }
            catch (Exception exception)
            {
                return new ContentFlow(origin.Id, [], log).Failed(factory.Method.Name, exception);
            }
        }

        return stages.Count == 0 ? null : new ContentFlow(origin.Id, stages.ToImmutable(), log);
    }

    /// <summary>
    /// A message of our own on its way. What a stage makes of it is added; a stage that refuses it or fails is left out and logged as
    /// an error, since a report that is lost leaves a sender believing that the mail arrived.
    /// </summary>
    public NewMessage Pass(NewMessage message, ContentSource source)
    {
        if (factories.IsEmpty)
        {
            return message;
        }

        var header = message.Header;
        foreach (var factory in factories)
        {
            var alone = new ContentPipeline([factory], log);
            if (alone.Begin(new ContentOrigin(source, message.Id, "", message.Record.Envelope)) is not { } flow)
            {
                continue;
            }

            flow.OnHeader(WithoutEmptyLine(message.Header).Span);
            flow.OnBody(message.Body.Span);
            var result = flow.Complete(header);
            if (result.Refusal is null)
            {
                header = result.Header;
            }
            else if (!flow.HasFailed)
            {
                log.Write(new MailEvent.Problem(
                    $"{message.Id}, a message of our own, goes out although a content stage refuses it: {result.Refusal}"));
            }
        }

        return message with { Header = header };
    }

    private static ReadOnlyMemory<byte> WithoutEmptyLine(ReadOnlyMemory<byte> header) =>
        header.Span.EndsWith("\r\n\r\n"u8) ? header[..^2] : header;
}

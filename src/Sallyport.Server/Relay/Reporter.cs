using System.Collections.Immutable;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Intake;
using Sallyport.Server.Reporting;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <param name="SizeMax">Largest message its next hop takes; 0 when not known.</param>
internal sealed record Reported(ReportedRecipient Recipient, long SizeMax);

/// <summary>
/// Composes the report a sender is owed, with as much of the message as may go back. What cannot be read or composed makes the report
/// shorter; it never stops the outcome.
/// </summary>
internal sealed class Reporter(RelayServices services)
{
    private const int HeaderBytesMax = 64 * 1024;

    /// <summary>What a report has besides the message: words, status, MIME.</summary>
    private const int OwnBytes = 16 * 1024;

    /// <summary>Null when not even the words alone could be written.</summary>
    public async Task<NewMessage?> ComposeAsync(
        SpooledMessage message, ReportKind kind, ImmutableArray<Reported> about, ServerOptions options)
    {
        var bare = new ReportRequest(services.Ids.Next(), services.Time.GetUtcNow(), options.Hostname, message, kind,
            [.. about.Select(one => one.Recipient)], default, null, message.Record.ReceivedAt + options.Relay.GiveUpAfter);
        try
        {
            return Staged(ReportComposer.Compose(await WithOriginalAsync(bare, about, options.Relay.ReturnedBytes)));
        }
        catch (Exception exception)
        {
            services.Log.Write(new MailEvent.Problem($"the report about {message.Id} goes without any of it: {exception.Message}"));
        }

        try
        {
            return Staged(ReportComposer.Compose(bare));
        }
        catch (Exception exception)
        {
            services.Log.Write(new MailEvent.Problem($"the sender of {message.Id} cannot be told what became of it: {exception.Message}"));
            return null;
        }
    }

    private NewMessage Staged(NewMessage report) => services.Content.Pass(report, ContentSource.Report);

    private async Task<ReportRequest> WithOriginalAsync(ReportRequest bare, ImmutableArray<Reported> about, int returnedBytes)
    {
        var message = bare.About;
        var sizeMax = about.Select(one => one.SizeMax).Where(size => size > 0).DefaultIfEmpty(long.MaxValue).Min();
        var whole = bare.Kind == ReportKind.Failed && message.Record.Envelope.Return != DsnReturn.Headers
            && message.ContentBytes <= returnedBytes && Encoded(message) <= sizeMax - OwnBytes
            && !about.Any(one => Advice.EnhancedOf(one.Recipient.Reply) is "5.3.4" or "5.2.3");
        var headerBytes = (int)Math.Min(HeaderBytesMax, Math.Max(0, sizeMax - OwnBytes));
        var content = await ReadAsync(message, whole ? (int)message.ContentBytes : headerBytes);
        bare = bare with { OriginalHeader = HeaderOf(content) };
        return whole ? bare with { OriginalContent = content } : bare;
    }

    /// <summary>Octets it has in a report: what is not ASCII goes in base64.</summary>
    private static long Encoded(SpooledMessage message) =>
        message.Record.HasEightBit || message.Record.HasUtf8Header ? message.ContentBytes * 7 / 5 : message.ContentBytes;

    /// <summary>Up to its end; of one that is longer than what was read, the fields that are there whole.</summary>
    private static ReadOnlyMemory<byte> HeaderOf(ReadOnlyMemory<byte> content)
    {
        var octets = content.Span;
        var end = octets.IndexOf("\r\n\r\n"u8);
        if (end >= 0)
        {
            return content[..(end + 4)];
        }

        for (var i = octets.Length; (i = octets[..i].LastIndexOf("\r\n"u8)) > 0;)
        {
            if (i + 2 < octets.Length && octets[i + 2] is not ((byte)' ' or (byte)'\t'))
            {
                return content[..(i + 2)];
            }
        }

        return default;
    }

    /// <summary>The first octets of the content, as many as asked for.</summary>
    private async Task<ReadOnlyMemory<byte>> ReadAsync(SpooledMessage message, int bytesMax)
    {
        if (message.Content is { } kept)
        {
            return kept[..Math.Min(bytesMax, kept.Length)];
        }

        using var octets = new MemoryStream();
        await using var reader = await services.Spool.OpenContentAsync(message.Id, default);
        while (reader is not null && octets.Length < bytesMax && await reader.ReadAsync(default) is { IsEmpty: false } piece)
        {
            octets.Write(piece.Span[..(int)Math.Min(piece.Length, bytesMax - octets.Length)]);
        }

        return octets.ToArray();
    }
}

using System.Text;
using Sallyport.Server.Reporting;
using Sallyport.Store;
using Sallyport.Tests.Store;
using Xunit;

namespace Sallyport.Tests.Server.Reporting;

/// <summary>What next hops say does not make a report large, and does not rewrite what its reader sees.</summary>
public sealed class ReportSizeTests
{
    [Theory]
    [InlineData(1, 16 * 1024)]
    [InlineData(60, 256 * 1024)]
    [InlineData(1000, 1024 * 1024)]
    public void Replies_of_any_length_make_a_report_of_bounded_size(int recipients, int bytesMax)
    {
        var report = Report(recipients, "550 5.7.1 " + string.Concat(Enumerable.Repeat("policy says no ", 50_000)));
        Assert.InRange(report.Length, 1000, bytesMax);
        Assert.Contains("Status: 5.7.1", report, StringComparison.Ordinal);
        Assert.Contains($"Final-Recipient: rfc822; r{recipients - 1}@example.com", report, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_in_a_reply_turns_the_text_around_it()
    {
        var report = Report(1, "550 5.7.1 no\u202E\u2066\u061Cway");
        Assert.Contains("no???way", report, StringComparison.Ordinal);
        Assert.True(Ascii.IsValid(report));
    }

    private static string Report(int count, string reply)
    {
        var record = StoreSamples.Record([.. Enumerable.Range(0, count).Select(i => $"r{i}@example.com")]);
        var rows = record.Envelope.Recipients.Select((one, i) => new SpooledRecipient(
            i, one.Path, one.Notify, null, RecipientState.InProgress, 1, StoreSamples.Now, "", false));
        var message = new SpooledMessage(StoreSamples.Id(1), record, 1000, [.. rows]);
        var made = ReportComposer.Compose(new ReportRequest(StoreSamples.Id(2), StoreSamples.Now, "smtp.acme.test", message, ReportKind.Failed,
            [.. message.Recipients.Select(row => new ReportedRecipient(row, reply, "mx.example.com"))], StoreSamples.Header, null, null));
        return Encoding.UTF8.GetString(made.Header.Span) + Encoding.UTF8.GetString(made.Body.Span);
    }
}

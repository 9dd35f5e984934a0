using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Intake;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Tests.Fakes;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Intake;

/// <summary>Stages that see the content as it streams, refuse it or add to its header.</summary>
public sealed class ContentStageTests
{
    private const string Envelope = "MAIL FROM:<jane@acme.test>\r\nRCPT TO:<bob@example.com>\r\n";
    private const string Header = "Subject: hello\r\nX: folded\r\n here\r\n";
    private const string Body = "first\r\n.second\r\n\r\nthird\r\n";
    private const string Stuffed = "first\r\n..second\r\n\r\nthird\r\n";

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 0)]
    [InlineData(true, int.MaxValue)]
    [InlineData(false, 1)]
    [InlineData(false, 0)]
    [InlineData(false, int.MaxValue)]
    public void A_digest_is_of_the_stored_octets_however_they_arrive_and_its_field_reaches_the_spool(bool data, int size)
    {
        using var bench = new SubmissionBench(stages: [_ => new Digest()]).LoggedIn();
        bench.Send(Envelope);
        var content = Encoding.ASCII.GetBytes(Header + "\r\n" + (data ? Stuffed : Body));
        if (data)
        {
            bench.Send("DATA\r\n");
            Arrive(bench, content, size);
            Assert.StartsWith("250 2.0.0 Ok: queued as ", bench.Send(".\r\n"));
        }
        else
        {
            bench.Send(string.Create(CultureInfo.InvariantCulture, $"BDAT {content.Length}\r\n"));
            Arrive(bench, content, size);
            bench.Wire.Take();
            Assert.StartsWith("250 2.0.0 Ok: queued as ", bench.Send("BDAT 0 LAST\r\n"));
        }

        var kept = Assert.Single(bench.Kept());
        Assert.StartsWith($"X-Digest: {Sha256(Header)}; {Sha256(Body)}\r\nReceived: ", kept);
        Assert.EndsWith(Body, kept);
    }

    [Fact]
    public void A_stage_refuses_with_its_own_reply_and_nothing_is_stored()
    {
        using var bench = new SubmissionBench(stages: [_ => new Refusing()]).LoggedIn();
        bench.Send(Envelope + "DATA\r\n");
        Assert.Equal("550 5.7.1 Not this\r\n", bench.Send(Header + "\r\n" + Stuffed + ".\r\n"));
        Assert.Empty(bench.Messages());
        Assert.Equal("550 5.7.1 Not this", Assert.Single(bench.Log.Events.OfType<MailEvent.Refused>()).Reply.ToString());
        Assert.Equal("250 2.0.0 Ok\r\n", bench.Send("NOOP\r\n"));
    }

    [Theory]
    [InlineData("create")]
    [InlineData("header")]
    [InlineData("body")]
    [InlineData("end")]
    public void A_stage_that_throws_is_a_451_and_a_logged_error_and_no_lost_session(string where)
    {
        var throws = true;
        using var bench = new SubmissionBench(stages:
            [_ => throws ? where == "create" ? throw new InvalidOperationException("broken stage") : new Throwing(where) : null]).LoggedIn();
        bench.Send(Envelope + "DATA\r\n");
        Assert.Equal(Replies.StageFailed + "\r\n", bench.Send(Header + "\r\n" + Stuffed + ".\r\n"));
        Assert.Empty(bench.Messages());
        Assert.Contains("broken stage", Assert.Single(bench.Log.Events.OfType<MailEvent.Problem>()).What);
        Assert.Empty(bench.Log.Events.OfType<MailEvent.Refused>());
        throws = false;
        bench.Send(Envelope + "DATA\r\n");
        Assert.StartsWith("250 ", bench.Send(Header + "\r\n" + Stuffed + ".\r\n"));
    }

    [Fact]
    public void Stages_are_made_for_each_message_and_told_where_it_comes_from()
    {
        var origins = new List<ContentOrigin>();
        using var bench = new SubmissionBench(stages: [origin => { origins.Add(origin); return null; }]).LoggedIn();
        for (var i = 0; i < 2; i++)
        {
            bench.Send(Envelope + "DATA\r\n");
            bench.Send(Header + "\r\n" + Stuffed + ".\r\n");
        }

        Assert.Equal(bench.Messages().Select(message => message.Id), origins.Select(origin => origin.Id));
        Assert.All(origins, origin => Assert.Equal(
            (ContentSource.Submission, "jane@acme.test", 1), (origin.Source, origin.Login, origin.Envelope.Recipients.Length)));
    }

    [Fact]
    public void The_stage_that_comes_later_stands_above_and_sees_the_stored_header()
    {
        using var bench = new SubmissionBench(stages: [_ => new Naming("X-First"), _ => new Naming("X-Second")]).LoggedIn();
        bench.Send(Envelope + "DATA\r\n");
        bench.Send(Header + "\r\n" + Stuffed + ".\r\n");
        Assert.StartsWith("X-Second: Received\r\nX-First: Received\r\nReceived: ", Assert.Single(bench.Kept()));
    }

    [Theory]
    [InlineData("X-A", "b\r\nBcc: everybody")]
    [InlineData("X-A", "b\r\n\r\nbody")]
    [InlineData("X-A", "b\nc")]
    [InlineData("X A", "b")]
    [InlineData("X:A", "b")]
    [InlineData("", "b")]
    public void A_field_that_would_be_more_than_one_is_not_added(string name, string body) =>
        Assert.Throws<ArgumentException>(() => new AddedFields().Add(name, body));

    [Fact]
    public void A_report_passes_the_stages_and_is_kept_when_one_refuses_or_fails()
    {
        var log = new RecordingLog();
        var report = new NewMessage(Id(7), Record("a@example.com"), Encoding.ASCII.GetBytes(Header + "\r\n"), Encoding.ASCII.GetBytes(Body));
        var passed = new ContentPipeline([_ => new Refusing(), _ => new Throwing("body"), _ => new Digest()], log)
            .Pass(report, ContentSource.Report);
        Assert.Equal($"X-Digest: {Sha256(Header)}; {Sha256(Body)}\r\n{Header}\r\n", Encoding.ASCII.GetString(passed.Header.Span));
        Assert.Equal(2, log.Events.OfType<MailEvent.Problem>().Count());
    }

    private static void Arrive(SubmissionBench bench, byte[] content, int size)
    {
        for (var from = 0; from < content.Length;)
        {
            var line = content.AsSpan(from).IndexOf((byte)'\n') + 1;
            var length = Math.Min(size == 0 ? line : size, content.Length - from);
            bench.Wire.Send(content.AsSpan(from, length).ToArray());
            from += length;
        }
    }

    private static string Sha256(string text) => Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(text)));

    private class Watching : IContentStage
    {
        public virtual void OnHeader(ReadOnlySpan<byte> header)
        {
        }

        public virtual void OnBody(ReadOnlySpan<byte> body)
        {
        }

        public virtual Reply? Complete(ReadOnlySpan<byte> header, AddedFields fields) => null;
    }

    private sealed class Digest : Watching
    {
        private readonly IncrementalHash _header = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private readonly IncrementalHash _body = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public override void OnHeader(ReadOnlySpan<byte> header) => _header.AppendData(header);

        public override void OnBody(ReadOnlySpan<byte> body) => _body.AppendData(body);

        public override Reply? Complete(ReadOnlySpan<byte> header, AddedFields fields)
        {
            fields.Add("X-Digest", Convert.ToHexString(_header.GetHashAndReset()) + "; " + Convert.ToHexString(_body.GetHashAndReset()));
            return null;
        }
    }

    private sealed class Refusing : Watching
    {
        public override Reply? Complete(ReadOnlySpan<byte> header, AddedFields fields) => new(550, new(5, 7, 1), "Not this");
    }

    private sealed class Naming(string name) : Watching
    {
        public override Reply? Complete(ReadOnlySpan<byte> header, AddedFields fields)
        {
            fields.Add(name, Encoding.ASCII.GetString(header[..header.IndexOf((byte)':')]));
            return null;
        }
    }

    private sealed class Throwing(string where) : Watching
    {
        public override void OnHeader(ReadOnlySpan<byte> header) => Throw("header");

        public override void OnBody(ReadOnlySpan<byte> body) => Throw("body");

        public override Reply? Complete(ReadOnlySpan<byte> header, AddedFields fields)
        {
            Throw("end");
            return null;
        }

        private void Throw(string here)
        {
            if (here == where)
            {
                throw new InvalidOperationException("broken stage");
            }
        }
    }
}

using System.Globalization;
using BenchmarkDotNet.Attributes;
using Sallyport.Mail.Smtp;
using Sallyport.Store;
using Sallyport.Store.Sqlite;

namespace Sallyport.Benchmarks;

/// <summary>A message kept durably and settled for every recipient: two commits with a flush each.</summary>
[MemoryDiagnoser]
public class StoreBenchmarks
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sallyport-bench-").FullName;
    private SqliteStore? _store;
    private Envelope? _envelope;
    private byte[] _body = [];
    private int _number;

    [Params(1, 50)]
    public int Recipients { get; set; }

    [Params(4 * 1024, 100 * 1024)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public async Task OpenAsync()
    {
        _store = await SqliteStore.OpenAsync(new SqliteStoreOptions(_folder, 0, 0), TimeProvider.System, CancellationToken.None);
        _body = Samples.Body(Bytes);
        _envelope = Samples.Envelope(Recipients);
    }

    [Benchmark]
    public async Task InsertAndSettle()
    {
        var id = QueueId.TryParse("BENCH" + (++_number).ToString("D8", CultureInfo.InvariantCulture), out var made)
            ? made : throw new InvalidOperationException("no queue id");
        var now = DateTimeOffset.UnixEpoch;
        await using var pending = _store!.Spool.Begin(id);
        await pending.WriteAsync(_body, CancellationToken.None);
        var record = new MessageRecord(_envelope!, now, "jane@acme.test", "SESSION1", "192.0.2.7", "<1@laptop>");
        if (await pending.CommitAsync(record, Samples.Header, claim: true, CancellationToken.None) is not CommitResult.Durable)
        {
            throw new InvalidOperationException("not kept");
        }

        await _store.Spool.RecordAsync(
            [
                .. Enumerable.Range(0, Recipients).Select(number => new RecipientOutcome(
                    id, number, RecipientState.Relayed, now, "250 2.0.0 Ok", DelayReported: false)),
            ],
            [], CancellationToken.None);
    }

    [GlobalCleanup]
    public async Task CloseAsync()
    {
        await _store!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

using System.Globalization;
using System.Runtime.Versioning;
using Sallyport.Mail.Smtp;
using Sallyport.Store;
using Sallyport.Tests.Tidy;
using Xunit;

namespace Sallyport.Tests.Store;

/// <summary>What is on disk at a site only grows: these lists are added to, never changed (ARCHITECTURE.md, invariant 10).</summary>
[UnsupportedOSPlatform("windows")]
public sealed class SchemaTests : IDisposable
{
    private const string Golden = "tests/Sallyport.Tests/Store/schema.golden.txt";

    private readonly StoreFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Columns_and_indexes_on_disk_are_those_written_down()
    {
        await using var store = await _folder.OpenAsync(TestContext.Current.CancellationToken);
        var version = Convert.ToString(_folder.Query("PRAGMA user_version").Single(), CultureInfo.InvariantCulture);
        var columns = _folder.Query(
            """
            SELECT m.name || '.' || c.name || ' ' || c.type || CASE c."notnull" WHEN 1 THEN ' NOT NULL' ELSE '' END
              || CASE c.pk WHEN 0 THEN '' ELSE ' KEY ' || c.pk END
            FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid
            """);
        var indexes = _folder.Query("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name");
        string[] found = ["version " + version, .. columns.Cast<string>(), .. indexes.Cast<string>()];
        Assert.Equal(SourceTree.Read(Golden).Split('\n', StringSplitOptions.RemoveEmptyEntries), found);
    }

    [Fact]
    public void Stored_numbers_mean_what_they_meant()
    {
        Assert.Equal("Due 0, InProgress 1, Held 2, Relayed 3, Failed 4", Numbers<RecipientState>());
        Assert.Equal("SevenBit 0, EightBitMime 1", Numbers<BodyType>());
        Assert.Equal("Headers 0, Full 1", Numbers<DsnReturn>());
        Assert.Equal("Unspecified 0, Never 1, Success 2, Failure 4, Delay 8", Numbers<DsnNotify>());
        Assert.Equal("Ban 1, KnownNetwork 3, AppPassword 5, Grant 6, Baseline 9, Suspension 10, OutageVerifier 11, Rehash 12",
            Numbers<RegistryKind>());
        Assert.Equal("LoginFailures 2, Usage 7, Pattern 14", Numbers<CounterKind>());
    }

    [Fact]
    public async Task Times_are_stored_in_microseconds_since_1970()
    {
        await using var store = await _folder.OpenAsync(TestContext.Current.CancellationToken);
        await store.Spool.KeepAsync(1, StoreSamples.Record("a@example.com"), []);
        Assert.Equal(1_795_508_130_000_000L, _folder.Query("SELECT received_at FROM message").Single());
    }

    private static string Numbers<T>()
        where T : struct, Enum =>
        string.Join(", ", Enum.GetValues<T>().Select(value => $"{value} {Convert.ToInt32(value, CultureInfo.InvariantCulture)}"));
}

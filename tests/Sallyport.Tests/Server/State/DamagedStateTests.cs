using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Configuration;
using Sallyport.Server.Hosting;
using Sallyport.Server.Identity;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.State;

/// <summary>A disk that lost a few octets is no reason for a server not to start.</summary>
public sealed class DamagedStateTests
{
    private static readonly RegistryKind[] Read = [.. Enum.GetValues<RegistryKind>().Except([RegistryKind.Rehash])];

    private readonly FakeTimeProvider _time = new();
    private readonly RecordingLog _log = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("{\"login\":")]
    [InlineData("null")]
    [InlineData("\0\0\0")]
    public async Task What_is_damaged_is_passed_over_and_named_and_the_rest_is_read(string value)
    {
        await using var store = new MemoryStore(_time);
        foreach (var kind in Read)
        {
            await store.PutAsync(kind, KeyOf(kind), value);
        }

        await store.PutAsync(RegistryKind.Grant, "x", """{"to":"jane","as":"info@acme.test"}""");
        await using var books = await LoadAsync(store);
        Assert.Equal("jane", Assert.Single(books.Grants.All).To);
        Assert.Equal(
            Read.Select(kind => $"the stored {kind} \"{KeyOf(kind).Replace('\n', ' ')}\" is damaged and passed over").Order(),
            _log.Events.OfType<MailEvent.Problem>().Select(problem => problem.What.Split(": ")[0]).Order());
        Assert.NotNull(books.Suspensions.Find("jane")); // who it is for is in its key, and to let it send would be worse
    }

    [Fact]
    public async Task An_app_password_whose_senders_cannot_be_read_is_none_and_not_one_for_all_senders()
    {
        await using var store = new MemoryStore(_time);
        const string Json = """
            {"label":"phone","created_at":"2026-11-24T08:00:00+00:00","networks":[],"senders":["of a later version"],"digest":"AAEC"}
            """;
        await store.PutAsync(RegistryKind.AppPassword, "jane\nabcdef", Json);
        await using var books = await LoadAsync(store);
        Assert.Empty(books.AppPasswords.All);
        Assert.Contains("no sender", Assert.Single(_log.Events.OfType<MailEvent.Problem>()).What, StringComparison.Ordinal);
    }

    private static string KeyOf(RegistryKind kind) => kind switch
    {
        RegistryKind.Ban => "192.0.2.7",
        RegistryKind.OutageVerifier => "site\njane\n192.0.2.7",
        RegistryKind.KnownNetwork => "jane\n192.0.2.7",
        RegistryKind.AppPassword => "jane\nabcdef",
        _ => "jane",
    };

    private async Task<IdentityBooks> LoadAsync(MemoryStore store)
    {
        var books = (await SiteServices.OpenAsync(
            store, new ServerOptions { Hostname = "smtp.acme.test", Data = "/nowhere" }, _log, _time, Cancel)).Books;
        return books;
    }
}

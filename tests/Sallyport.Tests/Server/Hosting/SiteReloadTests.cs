using Sallyport.Server.Configuration;
using Sallyport.Server.Hosting;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Telemetry;
using Sallyport.Store.Memory;
using Xunit;

namespace Sallyport.Tests.Server.Hosting;

/// <summary>A configuration read again is taken as a whole, or changes nothing.</summary>
public sealed class SiteReloadTests : IAsyncDisposable
{
    private static readonly ServerOptions First = new()
    {
        Hostname = "smtp.acme.test",
        Data = "/nowhere",
        Routes = [new RouteOptions { Recipients = ["*"], Capture = "/nowhere" }],
        Relay = new RelayOptions { MessagesInMemory = 1 },
    };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly LineLog _lines;
    private readonly SiteServices _site;

    public SiteReloadTests()
    {
        _lines = new LineLog(new HumanFormatter(), LineLog.Target(LogFile), TimeProvider.System);
        _site = SiteServices.OpenAsync(new MemoryStore(), First, _lines, TimeProvider.System, default).GetAwaiter().GetResult();
    }

    private string LogFile => Path.Combine(_folder.FullName, "first.log");

    private ServerOptions Next => First with
    {
        Hostname = "next.acme.test",
        Routes = [new RouteOptions { Recipients = ["*"], Smarthosts = [new SmarthostAddress("127.0.0.1", 2, false)] }],
        Relay = new RelayOptions { MessagesInMemory = 3 },
        Limits = new LimitOptions { HashesWaiting = 7 },
        Guard = new GuardOptions { Enabled = false },
        Log = new LogOptions { File = Path.Combine(_folder.FullName, "next.log") },
    };

    public async ValueTask DisposeAsync()
    {
        await _site.DisposeAsync();
        await _lines.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task All_of_a_configuration_is_taken_at_once()
    {
        SiteReload.Prepare(_site, _lines, Next).Commit();
        Assert.Equal("next.acme.test", _site.Site.Current.Options.Hostname);
        Assert.Equal((7, false), (_site.Books.Hasher.Limits.HashesWaiting, _site.Site.Options.Guard.Enabled));
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => _site.Handoff.TryReserve(1) is not null));
        Assert.Same(_site.Site.Current.Routes, _site.Relay.Routes);
        _site.Log.Write(new MailEvent.Notice("to the next"));
        await _lines.DisposeAsync();
        Assert.Contains("to the next", await File.ReadAllTextAsync(Next.Log.File!, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("authorities of a provider that cannot be read")]
    [InlineData("certificate")]
    [InlineData("log file")]
    [InlineData("a directory that fails in a way nobody foresaw")]
    public async Task What_is_wrong_with_a_configuration_leaves_all_as_it_was(string wrong)
    {
        var missing = Path.Combine(_folder.FullName, "missing", "file");
        var options = wrong switch
        {
            "certificate" => Next with { Tls = new TlsOptions(missing, missing) },
            "log file" => Next with { Log = new LogOptions { File = missing } },
            "authorities of a provider that cannot be read" => Next with
            {
                Directories = [new OidcDirectoryOptions("acme") { Issuer = "https://id.acme.test", TlsCa = missing }],
            },
            _ => Next with { Directories = [new UnknownOptions("new")] },
        };
        var (snapshot, limits, certificates, routes) =
            (_site.Site.Current, _site.Books.Hasher.Limits, _site.Certificates.Current, _site.Relay.Routes);
        Assert.ThrowsAny<Exception>(() => SiteReload.Prepare(_site, _lines, options));
        Assert.Same(snapshot, _site.Site.Current);
        Assert.Same(limits, _site.Books.Hasher.Limits);
        Assert.Same(certificates, _site.Certificates.Current);
        Assert.Same(routes, _site.Relay.Routes);
        Assert.Equal([true, false], Enumerable.Range(0, 2).Select(_ => _site.Handoff.TryReserve(1) is not null));
        _site.Log.Write(new MailEvent.Notice("to the first"));
        await _lines.DisposeAsync();
        Assert.Contains("to the first", await File.ReadAllTextAsync(LogFile, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_in_use_behaves_as_before_until_the_next_configuration_is_taken()
    {
        var own = Assert.Single(_site.Site.Current.Identity.Directories.OfType<IHashingDirectory>());
        Assert.True(own.HashesForUnknown);
        var prepared = _site.Directories.Prepare(
            [new LocalDirectoryOptions("local"), new HashesDirectoryOptions("old", Path.Combine(_folder.FullName, "hashes"))]);
        Assert.True(own.HashesForUnknown);
        prepared.Commit();
        Assert.False(own.HashesForUnknown); // the last one asked hashes in its place
    }

    [Fact]
    public async Task A_file_that_cannot_be_loaded_is_told_and_the_server_runs_on()
    {
        var data = _folder.CreateSubdirectory("data").FullName;
        var options = First with { Data = data, Routes = [], Log = new LogOptions { File = LogFile } };
        await using (var host = await SallyportHost.StartAsync(options, TimeProvider.System, TestContext.Current.CancellationToken))
        {
            host.Reload(_folder.FullName);
            host.Reload(Path.Combine(_folder.FullName, "missing.toml"));
            Assert.False(host.StoreFailed.IsCompleted);
            await host.StopAsync();
        }

        var log = await File.ReadAllTextAsync(LogFile, TestContext.Current.CancellationToken);
        Assert.Equal(2, log.Split("not reloaded, all stays as it was").Length - 1);
    }

    private sealed record UnknownOptions(string Name) : DirectoryOptions(Name);
}

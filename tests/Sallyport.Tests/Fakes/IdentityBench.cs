using System.Net;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Mail.Policy;
using Sallyport.Server.Configuration;
using Sallyport.Server.Hosting;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.AppPasswords;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Store.Memory;

namespace Sallyport.Tests.Fakes;

/// <summary>Identity as a server has it, on a store and a clock in memory.</summary>
internal sealed class IdentityBench : IAsyncDisposable
{
    public static readonly IPAddress Office = IPAddress.Parse("192.0.2.7");
    public static readonly IPAddress Cafe = IPAddress.Parse("198.51.100.9");

    private readonly IDirectory[] _directories;

    private IdentityBench(ServerOptions options, IDirectory[] directories) => (Options, _directories, Store) = (options, directories, new(Clock));

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));

    public MemoryStore Store { get; }

    public RecordingLog Log { get; } = new();

    public ServerOptions Options { get; private set; }

    /// <summary>All of the server around it.</summary>
    public SiteServices Site { get; private set; } = null!;

    public IdentityBooks Books => Site.Books;

    public IdentityService Service => Site.Site.Current.Identity;

    public static async Task<IdentityBench> StartAsync(Func<ServerOptions, ServerOptions>? change, params IDirectory[] directories)
    {
        var options = new ServerOptions
        {
            Hostname = "smtp.acme.test",
            Data = "/nowhere",
            Guard = new GuardOptions { FailureFloor = TimeSpan.Zero, DelayMax = TimeSpan.Zero },
        };
        var bench = new IdentityBench(change is null ? options : change(options), directories);
        await bench.RestartAsync();
        return bench;
    }

    /// <summary>All that is only in memory is gone.</summary>
    public async Task RestartAsync()
    {
        if (Site is not null)
        {
            await Site.DisposeAsync();
        }

        Site = await SiteServices.OpenAsync(new LentStore(Store), Options, Log, Clock, default);
        Site.Site.Swap(Site.NewSnapshot(Options, null, [.. _directories]));
    }

    public async Task<string> LogInAsync(string login, string password, IPAddress? from = null)
    {
        var verdict = await TryAsync(login, password, from);
        return verdict switch
        {
            LoginVerdict.Granted => "ok",
            LoginVerdict.Unavailable => "454: " + verdict.Why,
            _ => verdict.Why,
        };
    }

    public async Task<Grant> GrantAsync(string login, string password, IPAddress? from = null) =>
        await TryAsync(login, password, from) is LoginVerdict.Granted granted
            ? granted.Grant : throw new InvalidOperationException("refused");

    /// <summary>Makes an app password; its secret as it is shown comes back.</summary>
    public async Task<(AppPassword Password, string Secret)> MakeAsync(
        string login, string label = "phone", TimeSpan? life = null, string? network = null, string? sender = null)
    {
        var secret = AppPasswordText.Draw();
        var book = Books.AppPasswords;
        var now = Clock.GetUtcNow();
        var password = new AppPassword(login, book.NewId(), label, now, now + life)
        {
            Networks = network is null ? [] : [IPNetwork.Parse(network)],
            Senders = sender is null ? [] : [SenderPattern.Parse(sender)!],
            Digest = book.Digest(secret),
        };
        return await book.AddAsync(password, Options.AppPasswords.PerLogin, now, default)
            ? (password, AppPasswordText.Show(secret))
            : throw new InvalidOperationException("too many");
    }

    public async ValueTask DisposeAsync()
    {
        await Site.DisposeAsync();
        await Store.DisposeAsync();
    }

    private ValueTask<LoginVerdict> TryAsync(string login, string password, IPAddress? from) =>
        Service.CheckPasswordAsync(new LoginAttempt("S", from ?? Office, "PLAIN", login), password, default);
}

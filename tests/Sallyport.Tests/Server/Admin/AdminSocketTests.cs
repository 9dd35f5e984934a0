using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Admin.Transport;
using Sallyport.Server.Configuration;
using Sallyport.Server.Listening;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Admin;

/// <summary>The admin API as a console has it: HTTP on the socket, and nothing else.</summary>
public sealed class AdminSocketTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sallyport-admin-").FullName;
    private readonly AdminBench _bench;
    private readonly WebApplication _web;
    private readonly RemoteAdmin _remote;
    private readonly HttpClient _http;

    public AdminSocketTests()
    {
        _bench = new AdminBench(options => options with
        {
            Directories = [new HashesDirectoryOptions("old", Path.Combine(_folder, "old.passwords"))],
            Routes = [new RouteOptions { Recipients = ["*"], Capture = Path.Combine(_folder, "capture") }],
        });
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRouting();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenAdmin(AdminSocketPath.In(_folder)));
        _web = builder.Build();
        AdminSocket.Map(_web, _bench.Admin.Dispatcher);
        _remote = new RemoteAdmin(AdminSocketPath.In(_folder), TimeProvider.System);
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(AdminSocketPath.In(_folder)), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        { BaseAddress = new Uri("http://sallyport/v1/") };
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _web.StartAsync(Cancel);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _remote.DisposeAsync();
        await _web.DisposeAsync();
        await _bench.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task The_caller_is_the_user_who_opened_the_socket_and_has_the_role_operator()
    {
        Assert.True((await _remote.CallAsync(GuardOperations.Add, new NewBan("192.0.2.7", 60), Cancel)).Done);
        Assert.Equal(UnixFile.CurrentUser, Assert.Single(_bench.Log.Events.OfType<MailEvent.AdminChange>()).By);
    }

    [Fact]
    public async Task A_listing_of_several_pages_comes_whole_and_its_header_says_that_more_follows()
    {
        foreach (var address in (string[])["192.0.2.1", "192.0.2.2", "192.0.2.3"])
        {
            await _remote.CallAsync(GuardOperations.Add, new NewBan(address, 60), Cancel);
        }

        Assert.Equal(3, (await _remote.ListAsync(GuardOperations.List, new ListRequest(1), Cancel)).Length);
        using var first = await PostAsync("bans/list", """{"limit":2}""");
        Assert.NotEmpty(Assert.Single(first.Headers.GetValues("Sallyport-Next")));
        using var whole = await PostAsync("bans/list", "{}");
        Assert.False(whole.Headers.Contains("Sallyport-Next"));
        Assert.StartsWith("[{", await whole.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reader", null, 403)]
    [InlineData("user", "jane@acme.test", 403)]
    [InlineData("user", null, 400)]
    [InlineData("operator", "jane@acme.test", 400)]
    [InlineData("emperor", null, 400)]
    public async Task A_console_gives_up_what_its_user_may_not(string role, string? login, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "bans/add") { Content = Json("""{"address":"192.0.2.7","seconds":60}""") };
        request.Headers.Add("Sallyport-Role", role);
        if (login is not null)
        {
            request.Headers.Add("Sallyport-Login", login);
        }

        using var response = await _http.SendAsync(request, Cancel);
        Assert.Equal(status, (int)response.StatusCode);
        var answer = (await response.Content.ReadFromJsonAsync(AdminJson.Default.AdminAnswer, Cancel))!;
        Assert.Equal((false, status == 403 ? AdminCodes.Forbidden : AdminCodes.InvalidRequest), (answer.Done, answer.Code));
        Assert.Empty(_bench.Log.Events.OfType<MailEvent.AdminChange>());
    }

    [Fact]
    public async Task A_console_says_whom_it_has_logged_in()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "bans/add") { Content = Json("""{"address":"192.0.2.7","seconds":60}""") };
        request.Headers.Add("Sallyport-Caller", "J%C3%B6rg");
        using var response = await _http.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal($"Jörg by {UnixFile.CurrentUser}", Assert.Single(_bench.Log.Events.OfType<MailEvent.AdminChange>()).By);
    }

    [Fact]
    public async Task A_request_that_is_none_has_a_code()
    {
        using var response = await PostAsync("users/add", "{");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(AdminCodes.InvalidRequest, await response.Content.ReadAsStringAsync(Cancel));
        using var unknown = await PostAsync("users/fire", "{}");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task A_file_is_imported_through_the_socket()
    {
        using var file = new MemoryStream(Encoding.UTF8.GetBytes("login,password\njane,{SSHA}5xuoAd9Nq6sFYxCm9rLfzz0kXvM+fmd3MQ==\n"));
        var request = new ImportRequest("csv", "none", [], [], [], [], ",", null, false, false, true);
        var parts = new List<ImportPart>();
        await foreach (var part in _remote.StreamAsync(ImportOperations.Run, request, file, Cancel))
        {
            parts.Add(part);
        }

        var report = parts[^1].Report!;
        Assert.Equal((true, AdminCodes.ImportDryRun, 1, 1), (report.Done, report.Code, report.Read, report.Added));
        Assert.Equal(file.Length, parts[^1].BytesRead);
        Assert.All(parts.SkipLast(1), part => Assert.Null(part.Report));
        Assert.False(File.Exists(Path.Combine(_folder, "old.passwords")));
    }

    [Fact]
    public async Task An_import_into_an_unknown_directory_is_refused_before_the_file_is_read()
    {
        var request = new ImportRequest("csv", "none", [], [], [], [], ",", "new", false, false, false);
        await foreach (var part in _remote.StreamAsync(ImportOperations.Run, request, new MemoryStream([1, 2, 3]), Cancel))
        {
            Assert.Equal((0, AdminCodes.ImportUnknownDirectory), (part.BytesRead, part.Report?.Code));
        }
    }

    [Fact]
    public async Task Doctor_tells_each_finding_with_its_code()
    {
        var findings = new List<Finding>();
        await foreach (var finding in _remote.StreamAsync(DoctorOperations.Run, new DoctorRequest(null), Stream.Null, Cancel))
        {
            findings.Add(finding);
        }

        Assert.Contains(findings, finding => finding is { Code: "store.accepting", State: "ok" });
        Assert.Contains(findings, finding => finding is { Code: "server.not_running", State: "warning" });
        var capture = Assert.Single(findings, finding => finding.Code == "route.capture");
        Assert.Equal(("1", Path.Combine(_folder, "capture")), (capture.Facts["route"], capture.Facts["maildir"]));
    }

    [Fact]
    public async Task Only_an_operator_has_a_configuration_read_that_is_not_in_force()
    {
        var request = """{"configuration":{"file":"/x/y.toml","text":""}}""";
        using var asReader = new HttpRequestMessage(HttpMethod.Post, "doctor") { Content = Json(request) };
        asReader.Headers.Add("Sallyport-Role", "reader");
        using var refused = await _http.SendAsync(asReader, Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        using var wrong = await PostAsync("doctor", request);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
    }

    [Fact]
    public async Task A_configuration_is_checked_by_its_text()
    {
        var report = await _remote.CallAsync(
            ConfigurationOperations.Check, new ConfigurationText(Path.Combine(_folder, "new.toml"), "hostnam = \"smtp.acme.test\"\n"), Cancel);
        Assert.False(report.Valid);
        Assert.Contains(report.Problems, problem => problem is { Line: 1 } && problem.Message.Contains("hostname", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_test_message_to_a_server_that_does_not_listen_ends_in_a_report()
    {
        var request = new SendTestRequest("jane@acme.test", "own", "jane@acme.test", "not an address");
        await Assert.ThrowsAsync<AdminRefusedException>(async () =>
        {
            await foreach (var part in _remote.StreamAsync(SendTestOperations.Run, request, Stream.Null, Cancel))
            {
                Assert.Null(part.Report);
            }
        });
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private Task<HttpResponseMessage> PostAsync(string path, string json) => _http.PostAsync(path, Json(json), Cancel);
}

using Sallyport.Server.Configuration;
using Sallyport.Server.Hosting;
using Xunit;

namespace Sallyport.Tests.Server.Hosting;

public sealed class AdminDoorTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_command_without_a_server_needs_no_certificate()
    {
        var missing = Path.Combine(_folder.FullName, "missing.pem");
        var options = new ServerOptions
        {
            Hostname = "smtp.acme.test",
            Data = Path.Combine(_folder.FullName, "data"),
            Tls = new TlsOptions(missing, missing),
        };
        await using var door = await AdminDoor.OpenAsync(options, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.NotNull(door);
    }
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Transport;
using Sallyport.Server.Configuration;
using Sallyport.Server.Listening;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Hosting;

/// <summary>Kestrel with our listeners and the admin socket, and nothing else of a web server.</summary>
internal static class WebHost
{
    public static WebApplication Build(ServerOptions options, SubmissionListener submission, AdminDispatcher handlers, IMailLog log)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRouting();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenAdmin(AdminSocketPath.In(options.Data));
            foreach (var listener in options.Listeners)
            {
                kestrel.Listen(listener, submission, log);
            }
        });
        var web = builder.Build();
        AdminSocket.Map(web, handlers);
        return web;
    }

    public static void RestrictSocket(string socket)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(socket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    /// <summary>Signals are the executable's to handle.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

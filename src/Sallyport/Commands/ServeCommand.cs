using System.CommandLine;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Sallyport.Interaction;
using Sallyport.Server.Hosting;
using Sallyport.Server.Telemetry;

namespace Sallyport.Commands;

/// <summary>serve: the service. SIGTERM and SIGINT end it in order, SIGHUP reads the configuration again.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var config = CommandContext.ConfigOption();
        var command = new Command("serve", "Run the service until SIGTERM; SIGHUP reads configuration and certificate again.") { config };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(config)!, null, cancel));
        return command;
    }

    /// <param name="ready">Told when the server listens.</param>
    public static async Task<int> RunAsync(string file, Func<SallyportHost, Task>? ready, CancellationToken cancel)
    {
        if (CommandContext.Load(file, warn: true) is not { } options)
        {
            return Exit.Usage;
        }

        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var hangUps = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stop));
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stop));
        using var hup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            hangUps.Writer.TryWrite(true);
        });
        await using var host = await SallyportHost.StartAsync(options, TimeProvider.System, cancel);
        if (ready is not null)
        {
            await ready(host);
        }

        while (!stop.Task.IsCompleted && !host.StoreFailed.IsCompleted)
        {
            await Task.WhenAny(stop.Task, host.StoreFailed, hangUps.Reader.WaitToReadAsync(cancel).AsTask());
            if (hangUps.Reader.TryRead(out _))
            {
                host.Reload(file);
            }
        }

        if (host.StoreFailed.IsCompleted)
        {
            host.Log(new MailEvent.Problem(
                "the store failed: a write or flush to disk did not succeed. Intake stops; what is on disk is read at the next start"));
        }

        await host.StopAsync();
        return host.StoreFailed.IsCompleted ? Exit.Failed : Exit.Done;
    }

    private static void Stop(PosixSignalContext signal, TaskCompletionSource stop)
    {
        signal.Cancel = true;
        stop.TrySetResult();
    }
}

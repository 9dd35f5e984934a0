using System.CommandLine;
using Sallyport.Commands;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;

namespace Sallyport;

/// <summary>From the arguments to the exit code.</summary>
internal static class Cli
{
    public static RootCommand Create() => new("Sallyport, a mail submission server: takes mail from a site's own users, keeps it safe, relays it.")
    {
        QuickstartCommand.Create(),
        ServeCommand.Create(),
        CheckCommand.Create(),
        UserCommand.Create(),
        ImportCommand.Create(),
        AppPasswordCommand.Create(),
        GrantsCommand.Create(),
        BansCommand.Create(),
        ClientsCommand.Create(),
        LimitsCommand.Create(),
        QueueCommand.Create(),
        HoldCommand.Create(),
        LoginCommand.Create(),
        AlertCommand.Create(),
        ExplainCommand.Create(),
        SendTestCommand.Create(),
        AuthTestCommand.Create(),
        DoctorCommand.Create(),
    };

    /// <summary>An argument that begins with "@" is what it is: an address half typed, not a file of arguments.</summary>
    public static ParseResult Parse(IReadOnlyList<string> args) =>
        Create().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });

    public static async Task<int> RunAsync(string[] args)
    {
#pragma warning disable CA2000 // Standard error lives as long as the process.
        Console.SetError(new CleanWriter(Console.Error));
#pragma warning restore CA2000
        Terminal.AsJson = args.Contains("--json");
        var parsed = Parse(args);
        if (parsed.Errors.Count > 0)
        {
            var code = Terminal.Fail(string.Join("\nsallyport: ", UsageErrors.Explain(parsed)), Exit.Usage);
            if (!Terminal.AsJson)
            {
                await Console.Error.WriteLineAsync("`sallyport --help` shows the commands, `sallyport COMMAND --help` its options.");
            }

            return code;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception exception)
        {
            var code = Terminal.Fail(Explain(exception));
            if (Environment.GetEnvironmentVariable("SALLYPORT_DEBUG") is "1")
            {
                await Console.Error.WriteLineAsync(exception.ToString());
            }

            return code;
        }
    }

    private static string Explain(Exception exception) => exception switch
    {
        StartException or AdminRefusedException => exception.Message,
        HttpRequestException => $"the server does not answer: {exception.Message}",
        OperationCanceledException => "interrupted",
        IOException or UnauthorizedAccessException => FileTrouble.Say(exception, ""),
        _ => $"this is a fault in Sallyport itself: {exception.GetType().Name}: {exception.Message}\n"
            + "Please tell its maintainers (CONTRIBUTING.md), with what SALLYPORT_DEBUG=1 before the same command shows.",
    };
}

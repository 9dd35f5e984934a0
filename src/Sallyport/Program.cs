using System.CommandLine;
using Sallyport;
using Sallyport.Server;
using Sallyport.Verbs;

var root = new RootCommand("Sallyport, a mail submission server: takes mail from a site's own users, keeps it safe, relays it.")
{
    QuickstartVerb.Create(),
    ServeVerb.Create(),
    CheckVerb.Create(),
    UserVerb.Create(),
    GrantsVerb.Create(),
    BansVerb.Create(),
    ClientsVerb.Create(),
    QueueVerb.Create(),
    ExplainVerb.Create(),
    SendTestVerb.Create(),
    AuthTestVerb.Create(),
    DoctorVerb.Create(),
};
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
    {
        await Console.Error.WriteLineAsync("sallyport: " + error.Message);
    }

    await Console.Error.WriteLineAsync("`sallyport --help` shows the commands, `sallyport COMMAND --help` its options.");
    return Exit.Usage;
}

try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (StartException exception)
{
    await Console.Error.WriteLineAsync("sallyport: " + exception.Message);
    return Exit.Failed;
}
catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
{
    await Console.Error.WriteLineAsync($"sallyport: the server does not answer: {exception.Message}");
    return Exit.Failed;
}

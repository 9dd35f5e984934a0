using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Doctor;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Admin.SendTest;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Admin.Handlers;

/// <summary>check, doctor and send-test: looks at a site from outside, by the door itself.</summary>
/// <param name="door">Null where there is no store behind it.</param>
/// <param name="inForce">The configuration in force; null where there is none.</param>
/// <param name="noDoor">Why there is no store.</param>
internal sealed class SiteChecks(IAdmin? door, Func<ServerOptions?> inForce, string noDoor, TimeProvider time)
{
    public void Register(AdminDispatcher handlers)
    {
        new ConfigurationHandlers(time).Register(handlers);
        handlers.On(DoctorOperations.Run, (request, _, call) => new DoctorRun(OptionsOf(request, call), door, noDoor, time).RunAsync(call.Cancel));
        if (door is not null)
        {
            handlers.On(SendTestOperations.Run, (request, _, call) => new SendTestRun(inForce()!, door, time).RunAsync(request, call.Cancel));
        }
    }

    private ServerOptions OptionsOf(DoctorRequest request, AdminCall call)
    {
        if (request.Configuration is not { } text)
        {
            return inForce() ?? throw Refuse(AdminCodes.InvalidRequest, "no configuration is in force here: send one");
        }

        // What a configuration names is read: that is the operator's to ask for.
        return call.Caller.Role != AdminRole.Operator ? throw Refuse(AdminCodes.Forbidden, "only an operator may send a configuration")
            : ConfigurationHandlers.Read(text, time) is ConfigurationResult.Loaded { Options: var options } ? options
            : throw Refuse(AdminCodes.InvalidRequest, "the configuration has errors: configuration/check names them");
    }

    private static AdminRefusedException Refuse(string code, string why) => new(new(false, code, why));
}

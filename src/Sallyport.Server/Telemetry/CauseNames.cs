using System.Text.Json;
using Sallyport.Mail.Relaying;

namespace Sallyport.Server.Telemetry;

/// <summary>Causes as programs read them: "certificate_wrong_name". They are in the JSON log and in the admin API.</summary>
public static class CauseNames
{
    public static string ToName(this RelayFailure failure) => JsonNamingPolicy.SnakeCaseLower.ConvertName(failure.ToString());

    public static string ToName(this RelayFault fault) => JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString());
}

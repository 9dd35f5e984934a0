using System.Text.Json.Serialization;

namespace Sallyport.Server.Admin.Operations;

/// <summary>Alerts.</summary>
public static class AlertOperations
{
    /// <summary>Sends one by every way configured.</summary>
    public static AdminOperation<EmptyRequest, AlertTrial> Test { get; } =
        new("alerts/test", AdminJson.Default.EmptyRequest, AdminJson.Default.AlertTrial) { Changes = true };
}

/// <param name="Steps">One for each way and address.</param>
public sealed record AlertTrial(bool Sent, string Code, ExplainedStep[] Steps) : IAdminOutcome
{
    [JsonIgnore]
    public bool Done => Sent;
}

using System.Text.Json.Serialization;

namespace Sallyport.Server.Admin.Operations;

/// <summary>A message sent through the running server, as a user sends one.</summary>
public static class SendTestOperations
{
    public static AdminStream<SendTestRequest, SendTestPart> Run { get; } =
        new("send-test", AdminJson.Default.SendTestRequest, AdminJson.Default.SendTestPart)
        {
            Changes = true,
            About = request => request.Login,
        };
}

/// <summary>Carries a password to the admin socket, which only its owner may open; never shown.</summary>
public sealed record SendTestRequest(string Login, string Password, string From, string To)
{
    public override string ToString() => $"SendTestRequest for {Login}";
}

/// <param name="Step">connecting, submitted or ended.</param>
/// <param name="Report">In the last part.</param>
public sealed record SendTestPart(string Step, SendTestReport? Report) : IAdminProgress
{
    [JsonIgnore]
    public IAdminOutcome? Outcome => Report;
}

/// <param name="Accepted">The server took the message.</param>
/// <param name="State">refused, relayed, deferred, failed, held, removed or unknown.</param>
/// <param name="NextHop">Where it went, or would go.</param>
/// <param name="Outcome">The same in words, with the next hop's reply.</param>
public sealed record SendTestReport(bool Accepted, string State, string Reply, string? QueueId, string? NextHop, string Outcome) : IAdminOutcome
{
    /// <summary>Of one that is deferred.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    [JsonIgnore]
    public bool Done => Accepted;

    [JsonIgnore]
    public string Code => AdminCodes.SendTestDone;
}

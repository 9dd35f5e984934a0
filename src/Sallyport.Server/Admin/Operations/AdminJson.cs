using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sallyport.Server.Admin.Operations;

/// <summary>How the admin API and --json write these records. Names only grow.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EmptyRequest))]
[JsonSerializable(typeof(ListRequest))]
[JsonSerializable(typeof(ConfigurationText))]
[JsonSerializable(typeof(CheckReport))]
[JsonSerializable(typeof(DoctorRequest))]
[JsonSerializable(typeof(Finding))]
[JsonSerializable(typeof(Finding[]))]
[JsonSerializable(typeof(ImportRequest))]
[JsonSerializable(typeof(ImportPart))]
[JsonSerializable(typeof(ImportReport))]
[JsonSerializable(typeof(SendTestRequest))]
[JsonSerializable(typeof(SendTestPart))]
[JsonSerializable(typeof(SendTestReport))]
[JsonSerializable(typeof(ServerStatus))]
[JsonSerializable(typeof(UserView[]))]
[JsonSerializable(typeof(AdminAnswer))]
[JsonSerializable(typeof(NewUser))]
[JsonSerializable(typeof(UserName))]
[JsonSerializable(typeof(NewPassword))]
[JsonSerializable(typeof(AddressChange))]
[JsonSerializable(typeof(QueueQuery))]
[JsonSerializable(typeof(QueuedName))]
[JsonSerializable(typeof(FoundInQueue))]
[JsonSerializable(typeof(QueuedView[]))]
[JsonSerializable(typeof(OutcomeView[]))]
[JsonSerializable(typeof(GrantPair))]
[JsonSerializable(typeof(GrantView[]))]
[JsonSerializable(typeof(GrantsOfLogin))]
[JsonSerializable(typeof(AddressName))]
[JsonSerializable(typeof(WhoMaySend))]
[JsonSerializable(typeof(SaltView))]
[JsonSerializable(typeof(NewAppPassword))]
[JsonSerializable(typeof(MadeAppPassword))]
[JsonSerializable(typeof(AppPasswordQuery))]
[JsonSerializable(typeof(AppPasswordView[]))]
[JsonSerializable(typeof(AppPasswordChoice))]
[JsonSerializable(typeof(BanView[]))]
[JsonSerializable(typeof(NewBan))]
[JsonSerializable(typeof(StaleView[]))]
[JsonSerializable(typeof(HeldQuery))]
[JsonSerializable(typeof(HeldView[]))]
[JsonSerializable(typeof(HeldSelection))]
[JsonSerializable(typeof(HeldAnswer))]
[JsonSerializable(typeof(LoginView))]
[JsonSerializable(typeof(AlertTrial))]
[JsonSerializable(typeof(NewSuspension))]
[JsonSerializable(typeof(SuspensionView[]))]
[JsonSerializable(typeof(LimitSubject))]
[JsonSerializable(typeof(LimitsOfSubject))]
[JsonSerializable(typeof(BusyView[]))]
[JsonSerializable(typeof(ExplainQuery))]
[JsonSerializable(typeof(Explanation))]
[JsonSerializable(typeof(LoginQuery))]
[JsonSerializable(typeof(TokenQuery))]
[JsonSerializable(typeof(LoginTrial))]
[JsonSerializable(typeof(DirectoryTrial))]
public sealed partial class AdminJson : JsonSerializerContext
{
    /// <summary>The same, with letters of every script as they are: for people who read JSON.</summary>
    public static AdminJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}

namespace Sallyport.Server.Admin.Operations;

/// <summary>What logins, groups and the site have sent, against their limits.</summary>
public static class LimitOperations
{
    public static AdminOperation<LimitSubject, LimitsOfSubject> Show { get; } =
        new("limits/show", AdminJson.Default.LimitSubject, AdminJson.Default.LimitsOfSubject)
        {
            Role = AdminRole.User,
            About = subject => subject.Kind == "login" ? subject.Name : null,
        };

    /// <summary>The 50 that sent most, the busiest first.</summary>
    public static AdminOperation<EmptyRequest, BusyView[]> List { get; } =
        new("limits/list", AdminJson.Default.EmptyRequest, AdminJson.Default.BusyViewArray) { Role = AdminRole.Reader };

    public static AdminOperation<LimitSubject, AdminAnswer> Reset { get; } =
        new("limits/reset", AdminJson.Default.LimitSubject, AdminJson.Default.AdminAnswer)
        {
            Changes = true,
            About = subject => subject.Kind == "site" ? "site" : $"{subject.Kind}:{subject.Name}",
        };
}

/// <param name="Kind">login, group or site.</param>
/// <param name="Name">The login or group; empty for the site.</param>
public sealed record LimitSubject(string Kind, string Name);

/// <param name="Whose">As it is counted: "login:jane", "group:staff", "site".</param>
/// <param name="Measure">messages, recipients, first_time_recipients, bytes or connections.</param>
/// <param name="Window">at_once, minute, hour or day.</param>
/// <param name="Allowed">Null where nothing limits it.</param>
/// <param name="FreeAt">When one more passes; null when it passes now, or when only the end of what is under way lets it.</param>
public sealed record LimitView(string Whose, string Measure, string Window, long Used, long? Allowed, DateTimeOffset? FreeAt);

/// <param name="Problem">Why no directory says who this is; null otherwise.</param>
/// <param name="Quotas">The [[quota]] entries that apply.</param>
/// <param name="Networks">It logged in from within the last day; of a login.</param>
/// <param name="Contacts">Recipients it is known to have written to; of a login.</param>
public sealed record LimitsOfSubject(string Subject, string? Problem, string[] Quotas, LimitView[] Limits, int? Networks, int? Contacts);

/// <summary>The counts of the last day; messages also of the last hour and minute.</summary>
public sealed record BusyView(
    string Subject, long MessagesMinute, long MessagesHour, long Messages, long Recipients, long FirstTimeRecipients, long Bytes, long Connections,
    long Open);

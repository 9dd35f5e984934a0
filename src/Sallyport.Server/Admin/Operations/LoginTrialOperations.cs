namespace Sallyport.Server.Admin.Operations;

/// <summary>Logins tried as a client would, and the servers that directories depend on.</summary>
public static class LoginTrialOperations
{
    public static AdminOperation<LoginQuery, LoginTrial> TryLogin { get; } =
        new("auth-test", AdminJson.Default.LoginQuery, AdminJson.Default.LoginTrial) { About = query => query.Login };

    public static AdminOperation<TokenQuery, LoginTrial> TryToken { get; } =
        new("auth-test/token", AdminJson.Default.TokenQuery, AdminJson.Default.LoginTrial) { About = query => query.Login };

    /// <summary>Do the directories' servers answer?</summary>
    public static AdminOperation<EmptyRequest, DirectoryTrial> TryDirectories { get; } =
        new("directories/try", AdminJson.Default.EmptyRequest, AdminJson.Default.DirectoryTrial) { Role = AdminRole.Reader };
}

/// <summary>Carries a password to the admin socket, which only its owner may open; never shown.</summary>
public sealed record LoginQuery(string Login, string Password)
{
    public override string ToString() => $"LoginQuery for {Login}";
}

/// <summary>Carries an access token to the admin socket, which only its owner may open; never shown.</summary>
/// <param name="Login">Whom a client would say it is for; null when it says nothing.</param>
public sealed record TokenQuery(string? Login, string Token)
{
    public override string ToString() => $"TokenQuery for {Login}";
}

public sealed record LoginTrial(bool Accepted, ExplainedStep[] Steps);

public sealed record DirectoryTrial(ExplainedStep[] Steps);

namespace Sallyport.Server.Admin.Operations;

/// <summary>What a caller may do.</summary>
public enum AdminRole
{
    /// <summary>A user: what concerns the own login, where the operation allows it.</summary>
    User,

    /// <summary>Reads all, changes nothing; for a help desk or an auditor.</summary>
    Reader,

    /// <summary>Everything.</summary>
    Operator,
}

/// <summary>Who asks.</summary>
/// <param name="Name">For the log: the user of the system that opened the socket, or whom a console has logged in.</param>
/// <param name="Login">Of a <see cref="AdminRole.User"/>: the login that is the caller's own, by the name its directory gives it.</param>
public sealed record AdminCaller(string Name, AdminRole Role, string? Login = null)
{
    public const int NameCharactersMax = 256;

    public static AdminCaller Operator(string name) => new(name, AdminRole.Operator);
}

/// <summary>One call: who asks, and until when it is of use.</summary>
public sealed record AdminCall(AdminCaller Caller, CancellationToken Cancel);

/// <summary>The door did not take the request at all; the answer says why, with its code.</summary>
public sealed class AdminRefusedException(AdminAnswer answer) : Exception(answer.Message)
{
    public AdminAnswer Answer => answer;
}

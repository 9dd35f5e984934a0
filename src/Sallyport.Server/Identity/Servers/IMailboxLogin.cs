namespace Sallyport.Server.Identity.Servers;

/// <summary>What a mailbox server said of a login. When it judged nothing there is none of these, but a <see cref="ServerTroubleException"/>.</summary>
internal enum LoginVerdict
{
    Right,

    /// <summary>Unknown login or wrong password: the protocol does not tell which.</summary>
    Refused,

    Disabled,
    Expired,
}

/// <summary>One login over one connection: it proves the password, and touches no mail.</summary>
internal interface IMailboxLogin
{
    /// <summary>Up to where a password may be sent.</summary>
    /// <param name="startTls">The connection is in clear and must not stay so.</param>
    Task BeginAsync(bool startTls, CancellationToken cancel);

    Task<LoginVerdict> LogInAsync(string login, string password, CancellationToken cancel);

    /// <summary>Says goodbye; what it is answered makes no difference.</summary>
    Task LeaveAsync(CancellationToken cancel);
}

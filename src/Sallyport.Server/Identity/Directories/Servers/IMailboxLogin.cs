using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Directories.Servers;

/// <summary>One login over one connection: it proves the password, and touches no mail.</summary>
internal interface IMailboxLogin
{
    /// <summary>Up to where a password may be sent.</summary>
    /// <param name="startTls">The connection is in clear and must not stay so.</param>
    Task BeginAsync(bool startTls, CancellationToken cancel);

    /// <summary>Tells who is behind us to a server that takes it (Dovecot's ID and XCLIENT); what it answers makes no difference.</summary>
    Task TellClientAsync(LoginAttempt attempt, CancellationToken cancel);

    /// <returns>None when the password is right; a server that judged nothing is a <see cref="DirectoryServerException"/>.</returns>
    Task<LoginReason> LogInAsync(string login, string password, CancellationToken cancel);

    /// <summary>Says goodbye; what it is answered makes no difference.</summary>
    Task LeaveAsync(CancellationToken cancel);
}

using Sallyport.Mail.Sasl;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Server.Admin.Dispatch;

/// <summary>Who may call what.</summary>
internal static class Access
{
    /// <exception cref="AdminRefusedException">The caller may not.</exception>
    public static void Demand<TRequest>(AdminOperation<TRequest> operation, TRequest request, AdminCaller caller)
        where TRequest : class
    {
        if (Refusal(operation, request, caller) is { } refusal)
        {
            throw new AdminRefusedException(new(false, AdminCodes.Forbidden, refusal));
        }
    }

    /// <summary>Null when the caller may.</summary>
    public static string? Refusal<TRequest>(AdminOperation<TRequest> operation, TRequest request, AdminCaller caller)
        where TRequest : class => caller.Role switch
        {
            AdminRole.Operator => null,
            AdminRole.Reader when operation.Changes || operation.Role == AdminRole.Operator =>
                $"{operation.Path} needs the role operator; {caller.Name} is a reader",
            AdminRole.Reader => null,
            _ when operation.Role != AdminRole.User =>
                $"{operation.Path} needs the role {operation.Role.ToString().ToLowerInvariant()}; {caller.Name} is a user",
            _ => IsOwn(operation.About(request), caller.Login) ? null : $"{operation.Path}: a user may name the own login only",
        };

    private static bool IsOwn(string? named, string? own) =>
        named is not null && own is not null && Credentials.PrepareLogin(named) is { Length: > 0 } prepared
        && prepared == Credentials.PrepareLogin(own);
}

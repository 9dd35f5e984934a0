using Microsoft.AspNetCore.Http;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Server.Admin.Transport;

/// <summary>
/// Whoever opened the socket is the operator: only the data directory's owner and root can. A console that has logged in somebody says
/// whom, and gives up what that person may not.
/// </summary>
internal static class CallerHeaders
{
    public const string Role = "Sallyport-Role";
    public const string Caller = "Sallyport-Caller";
    public const string Login = "Sallyport-Login";

    /// <exception cref="AdminRefusedException">The headers are none of ours.</exception>
    public static AdminCaller Read(IHeaderDictionary headers, string peer)
    {
        var role = headers[Role].ToString() switch
        {
            "" or "operator" => AdminRole.Operator,
            "reader" => AdminRole.Reader,
            "user" => AdminRole.User,
            _ => throw Refuse($"{Role} must be operator, reader or user"),
        };
        var (name, login) = (Text(headers, Caller), Text(headers, Login));
        if (role == AdminRole.User != (login is not null))
        {
            throw Refuse($"{Login} names the own login of the role user, and of no other");
        }

        return new(name is null ? peer : $"{name} by {peer}", role, login);
    }

    /// <summary>Percent-encoded UTF-8, as headers are ASCII.</summary>
    private static string? Text(IHeaderDictionary headers, string header)
    {
        var text = Uri.UnescapeDataString(headers[header].ToString());
        return text.Length == 0 ? null
            : text.Length <= AdminCaller.NameCharactersMax && !text.Any(char.IsControl) ? text
            : throw Refuse($"{header} must have at most {AdminCaller.NameCharactersMax} characters, none of them a control character");
    }

    private static AdminRefusedException Refuse(string why) => new(new(false, AdminCodes.InvalidRequest, why));
}

using Sallyport.Mail.Sasl;
using System.Text;
using Sallyport.Mail.Text;

namespace Sallyport.Server.Identity.Directories.Dovecot;

/// <summary>What Dovecot's auth service answers to a request.</summary>
internal abstract record AuthReply
{
    private AuthReply()
    {
    }

    /// <summary>CONT: a challenge, decoded.</summary>
    public sealed record Continue(ReadOnlyMemory<byte> Octets) : AuthReply;

    /// <summary>OK.</summary>
    /// <param name="User">As Dovecot names the login.</param>
    /// <param name="Last">A last challenge of the server, which the client must see before its success; null without one.</param>
    /// <param name="Proxied">Dovecot would pass the login on, and may not have judged the password.</param>
    /// <param name="NoLogin">The password is right, and the account may not log in.</param>
    public sealed record Ok(string User, ReadOnlyMemory<byte>? Last, bool Proxied, bool NoLogin) : AuthReply;

    /// <summary>FAIL.</summary>
    /// <param name="Code">temp, user_disabled, pass_expired, authz, or empty for unknown and wrong.</param>
    public sealed record Fail(string User, string Code, string Reason) : AuthReply;

    /// <summary>USER: somebody of whom a userdb says this.</summary>
    /// <param name="Name">As Dovecot names the login.</param>
    public sealed record Known(string Name, string[] Fields) : AuthReply;

    /// <summary>NOTFOUND: no userdb knows the login.</summary>
    public sealed record NotFound : AuthReply;

    /// <summary>No answer that could be used: the connection is gone, or Dovecot breaks its protocol.</summary>
    public sealed record Lost(string Why) : AuthReply;

    /// <summary>Reads the fields of CONT, OK, FAIL, USER or NOTFOUND, the word itself first; null when it is another line.</summary>
    public static (uint Id, AuthReply Reply)? Read(string[] fields)
    {
        if (fields[0] is not ("CONT" or "OK" or "FAIL" or "USER" or "NOTFOUND") || fields.Length < 2 || !uint.TryParse(fields[1], out var id))
        {
            return null;
        }

        var rest = fields[2..];
        return (id, fields[0] switch
        {
            "CONT" => Decode(rest.Length > 0 ? rest[0] : "") is { } octets ? new Continue(octets) : new Lost("a challenge that is no base64"),
            "OK" => ReadOk(rest),
            "USER" => rest.Length > 0 ? new Known(rest[0], rest[1..]) : new Lost("a user without a name"),
            "NOTFOUND" => new NotFound(),
            _ => ReadFail(rest),
        });
    }

    private static AuthReply ReadOk(string[] fields)
    {
        var last = default(ReadOnlyMemory<byte>?);
        if (AuthLine.Find(fields, "resp") is { } text)
        {
            if (Decode(text) is not { } octets)
            {
                return new Lost("a last challenge that is no base64");
            }

            last = octets;
        }

        return AuthLine.Find(fields, "user") is { Length: > 0 } user && AuthLine.Find(fields, "anonymous") is null
            ? new Ok(user, last, AuthLine.Find(fields, "proxy") is not null, AuthLine.Find(fields, "nologin") is not null)
            : new Lost("a success without a user");
    }

    private static Fail ReadFail(string[] fields)
    {
        var code = AuthLine.Find(fields, "code") switch
        {
            "temp_fail" => "temp",
            "authz_fail" => "authz",
            "user_disabled" => "user_disabled",
            "pass_expired" => "pass_expired",
            _ => "",
        };
        foreach (var name in (string[])["temp", "user_disabled", "pass_expired", "authz"])
        {
            code = code.Length == 0 && AuthLine.Find(fields, name) is not null ? name : code;
        }

        return new Fail(AuthLine.Find(fields, "user") ?? "", code, DisplayText.Sanitize(AuthLine.Find(fields, "reason") ?? ""));
    }

    private static byte[]? Decode(string base64) => SaslServer.DecodeBase64(Encoding.ASCII.GetBytes(base64));
}

namespace Sallyport.Server.Identity.Contracts;

/// <summary>The one place where the reasons of refused logins are put in words.</summary>
internal static class LoginWording
{
    public static string Of(LoginVerdict verdict) => verdict switch
    {
        LoginVerdict.Denied denied => Of(denied.Reason, denied.Detail),
        LoginVerdict.Unavailable unavailable => unavailable.Detail,
        _ => "",
    };

    private static string Of(LoginReason reason, string detail) => reason switch
    {
        LoginReason.UnknownLogin => detail.Length > 0 ? detail : "unknown login",
        LoginReason.UnknownOrWrong => "unknown login or wrong password",
        LoginReason.CannotLookUp => "no directory that can look up logins knows it",
        LoginReason.WrongPassword => "wrong password",
        LoginReason.NotALogin => "not a login",
        LoginReason.RepeatedSecret => "the same wrong secret again",
        LoginReason.Disabled => "the account is disabled",
        LoginReason.Expired => "the password has expired",
        LoginReason.AppPasswordUnknown => "an app password that was revoked, or never was one here",
        LoginReason.AppPasswordRevoked => "its app password was revoked",
        LoginReason.AppPasswordRequired => "the login's own password is refused: app_passwords.required asks for an app password",
        LoginReason.TokenInvalid => "token: " + detail,
        LoginReason.TokenUnknown => "no directory takes this token: it is no JWT of a configured issuer",
        LoginReason.CertificateUnknown => "no directory knows the holder of the certificate " + detail,
        _ => detail,
    };
}

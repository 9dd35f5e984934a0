using Sallyport.Mail.Smtp;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Submission;

/// <summary>The last step of a login: of a verdict, the part that decides what the client is told.</summary>
internal static class LoginAnswers
{
    public static LoginAnswer Of(LoginVerdict verdict) => verdict switch
    {
        LoginVerdict.Granted granted => new LoginAnswer.Granted(granted.Grant),
        LoginVerdict.Denied { Reason: LoginReason.Disabled or LoginReason.Expired } => new LoginAnswer.Disabled(),
        LoginVerdict.Denied denied => new LoginAnswer.Wrong(denied.IsKnown, denied.Reason == LoginReason.RepeatedSecret),
        _ => new LoginAnswer.Unavailable(verdict.Why),
    };
}

using Sallyport.Mail.Smtp;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Submission;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

public sealed class LoginAnswersTests
{
    [Fact]
    public void A_denied_login_is_never_454_and_never_granted_whatever_the_reason() =>
        Assert.All(Enum.GetValues<LoginReason>().Where(reason => reason != LoginReason.None), reason =>
            Assert.True(LoginAnswers.Of(new LoginVerdict.Denied(reason)) is LoginAnswer.Wrong or LoginAnswer.Disabled, reason.ToString()));

    [Fact]
    public void Only_a_secret_that_was_refused_before_is_answered_as_the_same_again() =>
        Assert.Equal([LoginReason.RepeatedSecret], Enum.GetValues<LoginReason>().Where(reason =>
            reason != LoginReason.None && LoginAnswers.Of(new LoginVerdict.Denied(reason)) is LoginAnswer.Wrong { Again: true }));

    [Fact]
    public void A_login_nobody_could_judge_is_454_with_the_reason() => Assert.Equal(
        "the directory is away", Assert.IsType<LoginAnswer.Unavailable>(LoginAnswers.Of(new LoginVerdict.Unavailable("the directory is away"))).Why);
}

using Sallyport.Server.Identity.Contracts;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Contracts;

public sealed class LoginVerdictTests
{
    public static TheoryData<LoginReason> Reasons => [.. Enum.GetValues<LoginReason>().Where(reason => reason != LoginReason.None)];

    [Theory]
    [MemberData(nameof(Reasons))]
    public void Each_reason_has_words_for_the_log(LoginReason reason) =>
        Assert.NotEmpty(new LoginVerdict.Denied(reason, "what the directory says").Why);

    [Fact]
    public void A_granted_login_may_use_what_its_directory_says_until_more_is_added()
    {
        var granted = new LoginVerdict.Granted(new DirectoryEntry("anna", "site", ["anna@acme.test"], ["staff"]));
        Assert.Equal(("anna", "site"), (granted.Grant.Login, granted.Grant.Directory));
        Assert.Equal(["anna@acme.test"], granted.Grant.Addresses);
        Assert.Equal(["staff"], granted.Grant.Groups);
        Assert.Empty(granted.Why);
    }

    [Theory]
    [InlineData(LoginReason.UnknownLogin, true)]
    [InlineData(LoginReason.UnknownOrWrong, true)]
    [InlineData(LoginReason.CannotLookUp, true)]
    [InlineData(LoginReason.WrongPassword, false)]
    [InlineData(LoginReason.Disabled, false)]
    [InlineData(LoginReason.NoRights, false)]
    public void The_next_directory_is_asked_only_where_this_one_does_not_know_the_login(LoginReason reason, bool next) =>
        Assert.Equal(next, new LoginVerdict.Denied(reason).IsForTheNext);

    [Theory]
    [InlineData(LoginReason.WrongPassword, true)]
    [InlineData(LoginReason.Expired, true)]
    [InlineData(LoginReason.UnknownLogin, false)]
    [InlineData(LoginReason.UnknownOrWrong, false)]
    public void The_log_names_a_denied_login_only_where_it_exists(LoginReason reason, bool known) =>
        Assert.Equal(known, new LoginVerdict.Denied(reason).IsKnown);
}

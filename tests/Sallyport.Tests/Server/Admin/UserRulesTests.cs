using Sallyport.Server.Admin.Operations;
using Xunit;

namespace Sallyport.Tests.Server.Admin;

public sealed class UserRulesTests
{
    [Theory]
    [InlineData("jane")]
    [InlineData("jane@acme.test")]
    [InlineData("Jane Doe/Acme")]
    [InlineData("CN=Jane, O=Acme")]
    [InlineData(".")]
    [InlineData("..")]
    public void Can_be_a_login(string login) => Assert.Null(UserRules.LoginMistake(login));

    [Theory]
    [InlineData("", "cannot be a login: it needs 1 to 256 printable characters")]
    [InlineData("x@", "looks like a mail address but is not a valid one")]
    [InlineData("<x@acme.test>", "cannot be a login; did you mean x@acme.test?")]
    public void Cannot_be_a_login(string login, string why) => Assert.EndsWith(why, UserRules.LoginMistake(login));

    [Theory]
    [InlineData("<x@acme.test>", "is not a mail address; did you mean x@acme.test?")]
    [InlineData("x", "is not a mail address")]
    [InlineData("*@acme.test", "is a pattern, not an address; a grant lets a login send as all of a domain")]
    public void Cannot_be_an_address(string address, string why) => Assert.EndsWith(why, UserRules.AddressMistake(address));
}

using Sallyport.Server.Configuration;
using Xunit;

namespace Sallyport.Tests.Server.Configuration;

public sealed class AppPasswordReaderTests
{
    [Theory]
    [InlineData("required = true", "*")]
    [InlineData("required = false", "")]
    [InlineData("", "")]
    [InlineData("required = \"jane\"", "jane")]
    [InlineData("required = [\"jane\", \"group:Travellers\"]", "jane group:Travellers")]
    public void Required_is_a_flag_or_says_of_whom(string keys, string whom)
    {
        using var site = new SiteFolder();
        var loaded = Assert.IsType<ConfigurationResult.Loaded>(site.Load(more: $"[app_passwords]\n{keys}\nper_login = 3"));
        Assert.Equal((whom, 3), (string.Join(' ', loaded.Options.AppPasswords.Required), loaded.Options.AppPasswords.PerLogin));
    }

    [Theory]
    [InlineData("required = [\"group:\"]", "app_passwords.required: \"group:\" names no group")]
    [InlineData("required = 1", "app_passwords.required: must be a text in quotation marks, or a list of such texts")]
    [InlineData("per_login = 0", "app_passwords.per_login: must be a whole number from 1 to 1000")]
    [InlineData("per_logon = 5", "app_passwords.per_logon: is not known in [app_passwords]; did you mean \"per_login\"?")]
    public void Each_mistake_is_named(string keys, string mistake)
    {
        using var site = new SiteFolder();
        var invalid = Assert.IsType<ConfigurationResult.Invalid>(site.Load(more: "[app_passwords]\n" + keys));
        Assert.Contains(mistake, Assert.Single(invalid.Problems).ToString(), StringComparison.Ordinal);
    }
}

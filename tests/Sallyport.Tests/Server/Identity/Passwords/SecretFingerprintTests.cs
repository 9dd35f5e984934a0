using Sallyport.Server.Identity.Passwords;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Passwords;

public sealed class SecretFingerprintTests
{
    private readonly SecretFingerprint _fingerprint = new();

    [Fact]
    public void A_secret_has_one_fingerprint_for_one_purpose() =>
        Assert.Equal(Of(FingerprintPurpose.Guess, "", "anna", "secret"), Of(FingerprintPurpose.Guess, "", "anna", "secret"));

    [Fact]
    public void Fingerprints_of_two_purposes_differ()
    {
        var all = Enum.GetValues<FingerprintPurpose>().Select(purpose => Of(purpose, "", "anna", "secret")).ToList();
        Assert.Equal(all.Count, all.Distinct().Count());
    }

    [Theory]
    [InlineData("", "annas", "ecret")]
    [InlineData("a", "nna", "secret")]
    [InlineData("anna", "", "secret")]
    [InlineData("", "anna\0secret", "")]
    public void Fingerprints_tell_apart_where_the_login_ends_and_the_secret_begins(string scope, string login, string secret) =>
        Assert.NotEqual(Of(FingerprintPurpose.Guess, "", "anna", "secret"), Of(FingerprintPurpose.Guess, scope, login, secret));

    [Fact]
    public void Another_process_has_other_fingerprints() => Assert.NotEqual(
        Of(FingerprintPurpose.Guess, "", "anna", "secret"), new SecretFingerprint().Of(FingerprintPurpose.Guess, "", "anna", "secret"));

    private string Of(FingerprintPurpose purpose, string scope, string login, string secret) => _fingerprint.Of(purpose, scope, login, secret);
}

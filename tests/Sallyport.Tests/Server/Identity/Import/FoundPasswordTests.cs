using Sallyport.Server.Identity.Import;
using Sallyport.Tests.Server.Identity.Directories.Hashes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Import;

public sealed class FoundPasswordTests
{
    [Theory]
    [MemberData(nameof(PasswordHashTests.Published), MemberType = typeof(PasswordHashTests))]
    [MemberData(nameof(PasswordHashTests.Foreign), MemberType = typeof(PasswordHashTests))]
    public void Each_form_the_directory_can_check_is_a_hash(string stored, string password) =>
        Assert.False(FoundPassword.Of(stored, domino: true) is not FoundPassword.Hash, $"{stored} is the hash of {password}");

    [Theory]
    [InlineData("{CRYPT}$1$abcdefgh$irWbblnpmw.5z7wgBnprh0", "crypt (MD5)")]
    [InlineData("$1$abcdefgh$irWbblnpmw.5z7wgBnprh0", "crypt (MD5)")]
    [InlineData("$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7", "yescrypt")]
    [InlineData("{CRYPT}rl.3StKT.4T8M", "crypt (DES)")]
    [InlineData("{ARGON2}$argon2id$v=19$m=4096,t=3,p=1$c2FsdA$aGFzaA", "{ARGON2}")]
    [InlineData("{SASL}jane@acme.test", "{SASL}")]
    [InlineData("{SSHA}damaged", "{SSHA}")]
    [InlineData("{secret}word", "a scheme in braces")]
    [InlineData("$6$short", "SHA crypt, damaged")]
    [InlineData("(GDJ0nDZI8l8RJzlRbem)", "Domino, damaged")]
    [InlineData("5f4dcc3b5aa765d61d8327deb882cf99", "32 hex digits")]
    [InlineData("{PBKDF2}$1$sa\nlt$1000$0011223344556677", "with a control character")]
    public void A_hash_that_cannot_be_checked_is_named_and_never_taken_for_a_password(string stored, string form) =>
        Assert.Equal(new FoundPassword.Unknown(form), FoundPassword.Of(stored, domino: false));

    [Theory]
    [InlineData("secret", "secret")]
    [InlineData("{CLEARTEXT}{x}", "{x}")]
    [InlineData("{plain}pass", "pass")]
    [InlineData("(my) pass", "(my) pass")]
    [InlineData("5$", "5$")]
    public void What_is_behind_no_known_scheme_is_the_password_itself(string stored, string password)
    {
        var plain = Assert.IsType<FoundPassword.Plain>(FoundPassword.Of(stored, domino: false));
        Assert.Equal(password, plain.Password);
        Assert.DoesNotContain(password, plain.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("!")]
    [InlineData("*")]
    [InlineData("{CRYPT}!!")]
    [InlineData("!$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1")]
    [InlineData("*LK*")]
    public void The_mark_of_a_locked_account_is_no_password(string stored) =>
        Assert.IsType<FoundPassword.Locked>(FoundPassword.Of(stored, domino: false));
}

using CsCheck;
using Sallyport.Server.Identity.Directories.Hashes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Hashes;

public sealed class HashFileTests
{
    private const string Hash = "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=";

    /// <summary>Lines of the first release: what they mean stays.</summary>
    [Fact]
    public void Lines_as_they_were_always_written_mean_what_they_meant()
    {
        var file = HashFile.Parse([
            $"Jane Doe/Acme:{Hash}:jane@acme.test, info@acme.test:Sales, Staff", $"bob@acme.test:{Hash}", $@"ACME\carol:{Hash}::Staff"]);
        Assert.Empty(file.Mistakes);
        Assert.Equal(["jane@acme.test", "info@acme.test"], file.Accounts["jane doe/acme"].Addresses);
        Assert.Equal(["Sales", "Staff"], file.Accounts["jane doe/acme"].Groups);
        Assert.Equal(["bob@acme.test"], file.Accounts["bob@acme.test"].Addresses);
        Assert.Equal(["Staff"], file.Accounts[@"acme\carol"].Groups);
    }

    [Theory]
    [InlineData("jane:" + Hash + ":::gone", "\"gone\" of jane is no mark; disabled and alias=NAME are")]
    [InlineData("jane:" + Hash + ":::alias=", "an alias of jane cannot be a login")]
    [InlineData("jane:" + Hash + ":::disabled:more", "is not login:hash:addresses:groups:marks")]
    [InlineData("jane", "is not login:hash:addresses:groups:marks")]
    public void A_mistake_in_a_hash_file_is_named_by_its_line(string line, string why) =>
        Assert.Equal("line 1: " + why, Assert.Single(HashFile.Parse([line]).Mistakes));

    [Fact]
    public void An_alias_that_two_have_or_that_is_a_login_is_nobodys()
    {
        var file = HashFile.Parse([
            $"a:{Hash}:::alias=both,alias=c,alias=mine,alias=mine", $"b:{Hash}:::alias=both", $"c:{Hash}", $"d:{Hash}:::alias=both"]);
        Assert.Equal(["a", "b", "c", "d", "mine"], file.Accounts.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("c", file.Accounts["c"].Login);
        Assert.Equal(3, file.Mistakes.Length);
    }

    [Fact]
    public void A_hash_file_is_read_as_it_was_written()
    {
        var name = Gen.OneOfConst("a", "ü", ":", ",", "\\", "#", "=", "b", "/").Array[1, 8].Select(string.Concat);
        name.Select(name.Array[0, 3], name.Array[0, 3], Gen.Bool).Sample((login, groups, aliases, disabled) =>
        {
            var account = new HashedAccount(login, Hash, ["x@acme.test"], [.. groups]) { Aliases = [.. aliases], Disabled = disabled };
            var line = HashFileLine.Format(account);
            Assert.False(HashFile.IsComment(line));
            var (read, mistake) = HashFileLine.Parse(line);
            Assert.Null(mistake);
            Assert.True(read!.SaysTheSameAs(account), line);
        }, iter: 5_000, threads: 1);
    }
}

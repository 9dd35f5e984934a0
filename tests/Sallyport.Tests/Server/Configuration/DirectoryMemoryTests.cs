using Sallyport.Server.Configuration;
using Xunit;

namespace Sallyport.Tests.Server.Configuration;

/// <summary>What is remembered of a directory over a wire.</summary>
public sealed class DirectoryMemoryTests
{
    private const string Imap = "[[directory]]\ntype = \"imap\"\nurl = \"imaps://mail.acme.test\"\n";

    [Theory]
    [InlineData("", 60, 0)]
    [InlineData("login_cache = \"0s\"", 0, 0)]
    [InlineData("login_cache = \"5m\"\noutage_for = \"4h\"", 300, 14_400)]
    public void Each_has_its_default(string keys, int cached, int outage)
    {
        using var site = new SiteFolder();
        var loaded = Assert.IsType<ConfigurationResult.Loaded>(site.Load(more: Imap + keys));
        var options = Assert.Single(loaded.Options.Directories);
        Assert.IsType<MailboxDirectoryOptions>(options);
        Assert.Equal((cached, outage), ((int)options.LoginCache.TotalSeconds, (int)options.OutageFor.TotalSeconds));
    }

    [Theory]
    [InlineData(Imap + "login_cache = \"2h\"", "directory.login_cache: must be a time from 0s to 1h")]
    [InlineData(Imap + "outage_for = \"8d\"", "directory.outage_for: must be a time from 0s to 7d")]
    [InlineData("[[directory]]\ntype = \"local\"\noutage_for = \"4h\"", "outage_for: is not known")]
    public void Each_has_its_range_and_its_place(string entry, string mistake)
    {
        using var site = new SiteFolder();
        Assert.Contains(mistake, Assert.Single(site.Problems(more: entry)), StringComparison.Ordinal);
    }
}

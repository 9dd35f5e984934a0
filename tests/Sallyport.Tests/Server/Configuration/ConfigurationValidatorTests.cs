using Sallyport.Server.Configuration;
using Sallyport.Server.Configuration.Validation;
using Xunit;

namespace Sallyport.Tests.Server.Configuration;

/// <summary>The rules apart from the file: what a console sends is held to the same ones.</summary>
public sealed class ConfigurationValidatorTests
{
    private const int Far = 100_000;

    public static TheoryData<string, ConfigurationFormat> DeepTexts => new()
    {
        { "x = " + new string('[', Far) + new string(']', Far), ConfigurationFormat.Toml },
        { "x = " + string.Concat(Enumerable.Repeat("{a=", Far)) + "1" + new string('}', Far), ConfigurationFormat.Toml },
        { "x = " + string.Concat(Enumerable.Repeat("[{a=", Far)), ConfigurationFormat.Toml },
        { "[" + string.Join('.', Enumerable.Repeat("a", Far)) + "]\nx = 1", ConfigurationFormat.Toml },
        { string.Join('.', Enumerable.Repeat("a", Far)) + " = 1", ConfigurationFormat.Toml },
        { string.Concat(Enumerable.Repeat("[[a]]\n", Far)), ConfigurationFormat.Toml },
        { new string('[', Far), ConfigurationFormat.Json },
        { string.Concat(Enumerable.Repeat("{\"a\":", Far)) + "1" + new string('}', Far), ConfigurationFormat.Json },
    };

    [Theory]
    [MemberData(nameof(DeepTexts), DisableDiscoveryEnumeration = true)]
    public void A_text_that_is_deep_or_long_is_refused_and_ends_nothing(string text, ConfigurationFormat format) =>
        Assert.NotEmpty(ConfigurationValidator.Check(text, "/etc/x.toml", format).Problems);

    [Fact]
    public void Nesting_is_taken_to_its_limit_and_not_beyond()
    {
        static string[] Told(int depth, ConfigurationFormat format) =>
        [
            .. ConfigurationValidator.Check(
                (format == ConfigurationFormat.Json ? "{\"x\":" : "x = ") + new string('[', depth) + new string(']', depth)
                    + (format == ConfigurationFormat.Json ? "}" : ""), "/x", format).Problems.Select(problem => problem.Message),
        ];

        foreach (var format in Enum.GetValues<ConfigurationFormat>())
        {
            Assert.Contains("is not known at the top of the file", Told(ConfigurationNode.DepthMax - 1, format));
            Assert.Single(Told(ConfigurationNode.DepthMax + 1, format));
        }
    }

    [Theory]
    [InlineData("d>ata = \"\n[[\ufffd\\")]
    [InlineData("d,ata = \"\n\\[\ufffd\ufffd\\")]
    [InlineData("d\ud800")]
    public void Octets_that_are_no_text_are_told_once(string text) => Assert.Single(ConfigurationValidator.Check(text, "/x").Problems);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{} {}")]
    [InlineData("{\"data\":\"\\ud800\"}")]
    [InlineData("{\"data\":")]
    public void What_is_no_JSON_object_is_told_once(string text) =>
        Assert.Single(ConfigurationValidator.Check(text, "/x", ConfigurationFormat.Json).Problems);

    [Theory]
    [InlineData("log = 3", "log: must be a table: write [log]")]
    [InlineData("listener = [3]", "listener: must be tables: write [[listener]]")]
    [InlineData("[breaker.for]\nwho = \"x\"", "breaker.for: may be there more than once: write [[breaker.for]]")]
    [InlineData("[tls.extra]\nx = 1", "tls.extra: is not known in [tls]")]
    public void A_table_in_a_wrong_form_is_told(string text, string told) =>
        Assert.Contains(told, BothSources.Parse("/x", text).Problems.Select(problem => $"{problem.Key}: {problem.Message}"));

    [Fact]
    public void The_path_of_a_problem_says_which_of_its_like()
    {
        var result = ConfigurationValidator.Check(
            """{"route": [{"recipients": "*", "smarthost": "x"}, {"recipients": "*", "smarthost": "x", "tls": "no"}]}""",
            "/x", ConfigurationFormat.Json);
        Assert.Equal("route[1].tls", result.Problems.Single(problem => problem.Key == "route.tls").Path);
    }

    [Fact]
    public void A_tree_without_a_text_has_no_lines_to_name()
    {
        ConfigurationEntry Entry(string key, ConfigurationNode value) => new(key, value, 0);
        var listener = new ConfigurationNode.Table(
            [Entry("address", new ConfigurationNode.Text("127.0.0.1:587", 0)), Entry("tls", new ConfigurationNode.Text("none", 0))], 0);
        var result = ConfigurationValidator.Check(
            new ConfigurationNode.Table([Entry("listener", new ConfigurationNode.Sequence([listener, listener], 0))], 0), "console");
        Assert.Contains(result.Problems, problem => problem.Path == "listener[1].address"
            && problem.ToString() == "console: listener.address: 127.0.0.1:587 is there twice; the first time in an entry before it");
    }
}

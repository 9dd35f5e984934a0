using System.Text;
using Sallyport.Commands;
using Sallyport.Interaction;
using Sallyport.Server.Telemetry;
using Xunit;

namespace Sallyport.Tests.Cli;

/// <summary>Mistakes on the command line are told in plain words.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("`sallyport queue` needs a command: list, show, hold, release, retry, remove", "queue")]
    [InlineData("`sallyport user add` needs LOGIN", "user", "add")]
    [InlineData("unknown command \"lst\"; did you mean \"list\"?", "queue", "lst")]
    [InlineData("unknown option \"--jsn\"; did you mean \"--json\"?", "queue", "list", "--jsn")]
    [InlineData("unknown command \"quue\"; did you mean \"queue\"?", "quue")]
    [InlineData("unexpected argument \"B2\"", "queue", "show", "A1", "B2")]
    [InlineData("--to is missing", "send-test", "--login", "x@acme.test")]
    [InlineData("--sender needs a value behind it", "queue", "list", "--sender")]
    [InlineData("--most must be a whole number from 1 to 10000, not \"many\"", "queue", "list", "--most", "many")]
    [InlineData("--most must be a whole number from 1 to 10000, not \"0\"", "queue", "list", "--most", "0")]
    [InlineData("--state must be due, progress or held, not \"late\"", "queue", "list", "--state", "late")]
    [InlineData("--port must be a whole number from 1025 to 65535, not \"25\"", "quickstart", "--port", "25")]
    [InlineData("name one: LOGIN, --group GROUP or --site", "limits", "show")]
    [InlineData("name one: LOGIN, --group GROUP or --site", "limits", "reset", "jane", "--site")]
    [InlineData("--to: \"bob\" is not a mail address", "explain", "--login", "x", "--from", "<>", "--to", "bob")]
    public void A_mistake_is_told_in_plain_words(string told, params string[] args) =>
        Assert.Equal([told], UsageErrors.Explain(Sallyport.Cli.Parse(args)));

    [Fact]
    public void A_queue_id_to_go_on_after_must_be_one() => Assert.StartsWith("--after: \"?\" is not a queue id",
        Assert.Single(UsageErrors.Explain(Sallyport.Cli.Parse(["queue", "list", "--after", "?"]))));

    [Fact]
    public void An_argument_that_begins_with_at_is_no_file_of_arguments() =>
        Assert.Equal("@acme", Assert.Single(Sallyport.Cli.Parse(["user", "remove", "@acme"]).CommandResult.Tokens).Value);

    [Theory]
    [InlineData("", 100, "no password: type one")]
    [InlineData("a\tb", 100, "control character")]
    [InlineData("longer than ten", 10, "has 15 bytes; the server takes at most 10")]
    public void A_password_that_can_be_none_is_told_why(string typed, int most, string why) =>
        Assert.Contains(why, Terminal.PasswordMistake(Encoding.UTF8.GetBytes(typed), most));

    [Fact]
    public void A_password_that_is_not_UTF_8_is_told_so() => Assert.Contains("not UTF-8", Terminal.PasswordMistake([0x70, 0xfc], 100));

    [Fact]
    public void Commands_to_copy_name_the_program_that_runs_and_quote_what_a_shell_would_break()
    {
        Assert.Equal("/opt/x/sallyport", ProgramName.Here("/opt/x/sallyport", "/usr/bin:/bin", ["x"]));
        Assert.Equal("'/opt/my mail/sallyport'", ProgramName.Here("/opt/my mail/sallyport", "", ["x"]));
        Assert.Equal("dotnet /a/sallyport.dll", ProgramName.Here("/usr/bin/dotnet", "", ["/a/sallyport.dll", "quickstart"]));
        Assert.Equal(@"'it'\''s'", ShellWord.Of("it's"));
    }

    [Fact]
    public void A_quick_site_in_a_directory_with_a_quote_is_still_TOML() => Assert.Contains(
        "data     = \"/tmp/a\\\"b\\\\c/data\"", QuickstartCommand.Configuration("/tmp/a\"b\\c", (1587, 1465)));
}

using Sallyport.Server.Hosting;
using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;
using Xunit;

namespace Sallyport.Tests.Server.Telemetry;

public sealed class ShellWordTests
{
    [Theory]
    [InlineData("jane@acme.test", "jane@acme.test")]
    [InlineData("CN=Jane/O=Acme", "CN=Jane/O=Acme")]
    [InlineData("Jane Doe/Acme", "'Jane Doe/Acme'")]
    [InlineData("x;reboot", "'x;reboot'")]
    [InlineData("$(id)", "'$(id)'")]
    [InlineData("o'neil", @"'o'\''neil'")]
    [InlineData("j\u00fcrgen", "'j\u00fcrgen'")]
    [InlineData("", "''")]
    public void A_name_is_one_word_and_no_command(string name, string word) => Assert.Equal(word, ShellWord.Of(name));

    [Fact]
    public void The_commands_of_an_alert_can_be_copied_into_a_shell()
    {
        var trip = new Trip("Jane Doe/Acme", DateTimeOffset.UnixEpoch, "messages_per_hour", "stopped", 2, 1, 0, "192.0.2.7", [], []);
        Assert.Equal(
            ["hold list --login", "login suspend", "hold drop", "hold release", "hold release --trust", "login resume"],
            AbuseMonitoring.AlertOf(trip, 0, "smtp.acme.test").Commands.Select(command => command.Split("sallyport ")[1])
                .Select(command => command.Replace(" 'Jane Doe/Acme'", "", StringComparison.Ordinal)));
    }
}

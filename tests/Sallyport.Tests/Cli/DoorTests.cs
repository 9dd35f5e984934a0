using System.Text.RegularExpressions;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Identity.Import;
using Sallyport.Tests.Tidy;
using Xunit;

namespace Sallyport.Tests.Cli;

/// <summary>The command line has one door.</summary>
public sealed partial class DoorTests
{
    /// <summary>What a command may know: the contract, the configuration that says where the door is, and how to start.</summary>
    private static readonly string[] Allowed =
    [
        "Sallyport.Server", "Sallyport.Server.Hosting", "Sallyport.Server.Admin.Operations", "Sallyport.Server.Configuration",
        "Sallyport.Server.Configuration.Validation", "Sallyport.Server.Telemetry", "Sallyport.Mail.Addressing", "Sallyport.Mail.Policy",
        "Sallyport.Mail.Sasl", "Sallyport.Mail.Smtp", "Sallyport.Mail.Text", "Sallyport.Commands", "Sallyport.Interaction",
    ];

    [Fact]
    public void No_command_works_round_the_door() => Assert.Empty(SourceTree.CSharp("src/Sallyport").SelectMany(file =>
        file.Lines.SelectMany(line => Namespace().Matches(line)).Select(match => match.Groups[1].Value)
            .Where(used => !Allowed.Contains(used)).Select(used => $"{file.Path} uses {used}")));

    /// <summary>Only what starts a server may see one.</summary>
    [Fact]
    public void Only_serve_knows_the_server() => Assert.Equal(["src/Sallyport/Commands/ServeCommand.cs"], SourceTree.CSharp("src/Sallyport")
        .Where(file => file.Lines.Any(line => line.Contains("SallyportHost", StringComparison.Ordinal))).Select(file => file.Path));

    [Fact]
    public void What_the_door_answers_names_no_command() => Assert.Empty(SourceTree.CSharp("src/Sallyport.Server/Admin")
        .Where(file => file.Lines.Any(line => line.Contains("`sallyport", StringComparison.Ordinal))).Select(file => file.Path));

    /// <summary>A cause is a value; only the parser of the command line tells its mistakes in prose alone.</summary>
    [Fact]
    public void Nobody_searches_prose_for_a_reason() => Assert.Empty(SourceTree.CSharp("src")
        .Where(file => file.Path != "src/Sallyport/Interaction/UsageErrors.cs")
        .SelectMany(file => file.Lines.Where(line => Search().IsMatch(line)).Select(line => $"{file.Path}: {line.Trim()}")));

    [Fact]
    public void The_systems_an_import_knows_are_the_same_on_both_sides_of_the_door() =>
        Assert.Equal(ImportMapping.PresetNames, ImportOperations.Presets);

    [Theory]
    [InlineData(AdminCodes.UserExists, "jane", "`sallyport user passwd jane` sets a password")]
    [InlineData(AdminCodes.UserExists, "Jane Doe/Acme", "`sallyport user passwd 'Jane Doe/Acme'` sets a password")]
    [InlineData(AdminCodes.MessageIsHeld, "3KWW1MRBZLYBHJJ", "`sallyport queue release 3KWW1MRBZLYBHJJ` releases it")]
    [InlineData(AdminCodes.UserRemoved, "jane", null)]
    public void A_code_has_the_command_that_helps(string code, string subject, string? hint) => Assert.Equal(hint, Hints.Of(code, subject));

    [Fact]
    public void A_finding_has_the_command_that_helps()
    {
        Assert.Equal("no accounts yet; `sallyport user add LOGIN` adds one",
            Hints.Of(Finding.Warning("accounts.none", "accounts", "no accounts yet")));
        Assert.Equal("this runs as root: `sudo -u mail sallyport doctor` does",
            Hints.Of(Finding.Warning("user.root", "user", "this runs as root").With("owner", "mail")));
        Assert.Equal("not running", Hints.Of(Finding.Warning("server.not_running", "server", "not running")));
    }

    [GeneratedRegex(@"(?<!\.)\b(Sallyport(?:\.(?:Server|Mail|Store)(?:\.[A-Z]\w+)*?))(?:\.QueueId)?;")]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\b(\w*[Mm]essage|\w*[Rr]eply|\w*[Rr]eason|[Dd]etail|[Ww]hy|[Bb]ecause|ToString\(\))\.(Contains|StartsWith|EndsWith)\(""")]
    private static partial Regex Search();
}

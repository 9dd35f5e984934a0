using Xunit;

namespace Sallyport.Tests.Tidy;

/// <summary>The invariants at the head of ARCHITECTURE.md that a reader of the source can check.</summary>
public sealed class WallTests
{
    /// <summary>Which folder of Sallyport.Server may use which. An arrow that is not here needs a page in docs/decisions.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Configuration"] = [],
        ["Telemetry"] = ["Configuration"],
        ["Certificates"] = ["Configuration"],
        ["Outcomes"] = ["Telemetry"],
        ["Limits"] = ["Configuration"],
        ["State"] = ["Telemetry"],
        ["Guard"] = ["Configuration", "Telemetry", "Limits", "State"],
        ["Identity"] = ["Configuration", "Telemetry", "Limits", "State", "Guard", "Sending"],
        ["Sending"] = ["Configuration", "Telemetry", "Limits", "Outcomes", "State"],
        ["Alerting"] = ["Configuration", "Telemetry", "Intake", "Reporting"],
        ["Intake"] = ["Telemetry"],
        ["Routing"] = ["Configuration"],
        ["Reporting"] = ["Telemetry"],
        ["Sites"] = ["Configuration", "Certificates", "Identity", "Routing"],
        ["Submission"] = ["Configuration", "Telemetry", "Outcomes", "Sites", "Identity", "Intake", "Guard", "Limits", "Routing", "Sending"],
        ["Peers"] = [],
        ["Listening"] = ["Configuration", "Telemetry", "Certificates", "Sites", "Identity", "Guard", "Limits", "Submission"],
        ["Relay"] = ["Configuration", "Telemetry", "Intake", "Outcomes", "Peers", "Routing", "Reporting"],
        ["Admin"] = ["Configuration", "Telemetry", "State", "Outcomes", "Sites", "Identity", "Guard", "Limits", "Routing", "Relay", "Sending",
            "Alerting", "Listening", "Certificates"],
        ["Hosting"] = ["*"], // the composition sees all
    };

    [Fact]
    public void Folders_of_the_server_use_each_other_only_along_the_arrows()
    {
        var files = SourceTree.CSharp("src/Sallyport.Server").ToList();
        Assert.NotEmpty(files);
        var wrong = new List<string>();
        foreach (var file in files)
        {
            var parts = file.Path.Split('/');
            if (parts.Length < 4)
            {
                continue;
            }

            Assert.True(Arrows.ContainsKey(parts[2]), $"{parts[2]} is a new folder: give it a row here and in ARCHITECTURE.md");
            var used = Arrows.Keys.Where(folder => folder != parts[2] && file.Lines.Any(line => Names(line, folder)));
            var allowed = Arrows[parts[2]];
            wrong.AddRange(used.Where(folder => !allowed.Contains("*") && !allowed.Contains(folder)).Select(folder => $"{file.Path} uses {folder}"));
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void Each_arrow_is_used_and_nothing_points_beside_the_arrows()
    {
        var graph = new NamespaceGraph(NamespaceTests.Find("Sallyport.Server"));
        var uses = graph.Namespaces.SelectMany(from => graph.Uses(from).Select(to => (From: FolderOf(from), To: FolderOf(to.Key), By: to.Value)))
            .Where(edge => edge.From != edge.To && Arrows.TryGetValue(edge.From, out var to) && !to.Contains("*")).ToList();
        Assert.Empty(uses.Where(edge => !Arrows[edge.From].Contains(edge.To)).Select(edge => $"{edge.From} uses {edge.To}: {edge.By}"));
        Assert.Empty(Arrows.Where(arrow => !arrow.Value.Contains("*")).SelectMany(arrow => arrow.Value.Select(to => (From: arrow.Key, To: to)))
            .Where(arrow => !uses.Any(edge => edge.From == arrow.From && edge.To == arrow.To)
                && !SourceTree.CSharp("src/Sallyport.Server/" + arrow.From).Any(file => file.Lines.Any(line => Names(line, arrow.To))))
            .Select(arrow => $"{arrow.From} → {arrow.To}"));
    }

    [Theory]
    [InlineData("SQLite", "src/Sallyport.Store/Sqlite/", "using Microsoft.Data.Sqlite", "using SQLitePCL")]
    [InlineData("Kestrel's transport", "src/Sallyport.Server/Listening/", "using Microsoft.AspNetCore.Connections")]
    [InlineData("HTTP", "src/Sallyport.Server/Admin/", "using Microsoft.AspNetCore.Http", "using Microsoft.AspNetCore.Routing")]
    [InlineData("MimeKit", "src/Sallyport.Server/Reporting/", "using MimeKit")]
    [InlineData("LDAP", "src/Sallyport.Server/Identity/Directories/Ldap/", "using System.DirectoryServices.Protocols")]
    [InlineData("tokens", "src/Sallyport.Server/Identity/Directories/Oidc/", "using Microsoft.IdentityModel")]
    [InlineData("TOML", "src/Sallyport.Server/Configuration/Toml/", "using Tomlyn")]
    public void Only_one_folder_knows(string what, string home, params string[] signs)
    {
        var strangers = SourceTree.CSharp("src")
            .Where(file => !file.Path.StartsWith(home, StringComparison.Ordinal))
            .Where(file => file.Lines.Any(line => signs.Any(sign => line.StartsWith(sign, StringComparison.Ordinal))))
            .Select(file => $"{file.Path} knows {what}");
        Assert.Empty(strangers);
    }

    [Fact]
    public void The_store_knows_no_session_no_name_service_and_no_web()
    {
        string[] signs = ["System.Net.Sockets", "System.Net.Http", "Microsoft.AspNetCore", "Sallyport.Server"];
        Assert.Empty(SourceTree.CSharp("src/Sallyport.Store")
            .Where(file => file.Lines.Any(line => signs.Any(sign => line.Contains(sign, StringComparison.Ordinal))))
            .Select(file => file.Path));
    }

    [Fact]
    public void The_clock_is_read_only_through_TimeProvider()
    {
        string[] signs = ["DateTime.Now", "DateTime.UtcNow", "DateTimeOffset.Now", "DateTimeOffset.UtcNow", "Stopwatch.StartNew", "Thread.Sleep"];
        Assert.Empty(SourceTree.CSharp("src")
            .SelectMany(file => file.Lines.Where(line => signs.Any(sign => line.Contains(sign, StringComparison.Ordinal)))
                .Select(line => $"{file.Path}: {line.Trim()}")));
    }

    [Fact]
    public void Nothing_is_left_unfinished()
    {
        string[] signs = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "NotImplemented" + "Exception", "Skip =" + " \""];
        Assert.Empty(SourceTree.CSharp("src", "tests")
            .SelectMany(file => file.Lines.Where(line => signs.Any(sign => line.Contains(sign, StringComparison.Ordinal)))
                .Select(line => $"{file.Path}: {line.Trim()}")));
    }

    /// <summary>The folder at the top of the server; empty for its root.</summary>
    private static string FolderOf(string name) => name.Split('.') is [_, _, var folder, ..] ? folder : "";

    private static bool Names(string line, string folder) =>
        line.Contains($"Sallyport.Server.{folder};", StringComparison.Ordinal)
        || line.Contains($"Sallyport.Server.{folder}.", StringComparison.Ordinal)
        || (!line.TrimStart().StartsWith("using", StringComparison.Ordinal)
            && !line.TrimStart().StartsWith("//", StringComparison.Ordinal)
            && (line.Contains($" {folder}.", StringComparison.Ordinal) || line.Contains($"({folder}.", StringComparison.Ordinal)));
}

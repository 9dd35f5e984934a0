using System.Collections.Immutable;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>From a tree to the options: every rule is here and below, whatever the tree was made of.</summary>
internal static class ConfigurationBinder
{
    /// <param name="problems">Its file need not be there; relative paths are seen from its folder.</param>
    /// <param name="now">By which certificates have expired.</param>
    public static ConfigurationResult Bind(ConfigurationNode.Table tree, ProblemList problems, DateTimeOffset now)
    {
        var tables = new ConfigurationTables(tree, problems);
        var hasClientCa = tables.Table("tls").Has("client_ca");
        var listeners = tables.List("listener").Select(section => (Section: section, Listener: ListenerReader.Read(section, hasClientCa)))
            .Where(pair => pair.Listener is not null).Select(pair => (pair.Section, Listener: pair.Listener!)).ToList();
        var paths = new ConfiguredFiles(problems.File);
        var options = new ServerOptions
        {
            Hostname = HostnameReader.Read(tables.Top),
            Data = paths.Resolve(tables.Top, "data", tables.Top.RequiredText("data", "/var/lib/sallyport") ?? "."),
            Listeners = [.. listeners.Select(pair => pair.Listener)],
            Tls = tables.Has("tls") ? TlsReader.Read(tables.Table("tls"), paths, now) : null,
            Directories = [.. tables.List("directory").Select(section => DirectoryReader.Read(section, paths)).OfType<DirectoryOptions>()],
            Grants = [.. tables.List("grant").Select(GrantReader.ReadGrant)],
            SenderModes = [.. tables.List("sender").Select(GrantReader.ReadMode)],
            Quotas = [.. tables.List("quota").Select(QuotaReader.Read)],
            Routes = [.. tables.List("route").Select(section => RouteReader.Read(section, paths)).OfType<RouteOptions>()],
            Submission = SubmissionReader.Read(tables.Table("submission")),
            Guard = GuardReader.Read(tables.Table("guard")),
            AppPasswords = AppPasswordReader.Read(tables.Table("app_passwords")),
            Relay = RelayReader.Read(tables.Table("relay")),
            Limits = LimitsReader.Read(tables.Table("limits")),
            Timeouts = TimeoutsReader.Read(tables.Table("timeouts")),
            Log = LogReader.Read(tables.Table("log"), paths),
            Store = StoreReader.Read(tables.Table("store")),
            Breaker = BreakerReader.Read(tables.Table("breaker"), tables.List("breaker.for")),
            Alert = AlertReader.Read(tables.Table("alert"), paths),
            Metrics = MetricsReader.Read(tables.Table("metrics")),
        };
        tables.Top.Finish();
        new ConfigurationChecks(tables, problems).Run(options, listeners);
        ImmutableArray<ConfigurationProblem> doubts = [.. problems.Warnings.Distinct().OrderBy(warning => warning.Line)];
        return problems.Problems.Count > 0
            ? new ConfigurationResult.Invalid([.. problems.Problems.Distinct().OrderBy(problem => problem.Line)]) { Warnings = doubts }
            : new ConfigurationResult.Loaded(options, doubts);
    }
}

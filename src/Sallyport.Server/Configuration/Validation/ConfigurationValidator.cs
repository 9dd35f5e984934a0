using Sallyport.Server.Configuration.Binding;
using Sallyport.Server.Configuration.Json;
using Sallyport.Server.Configuration.Toml;

namespace Sallyport.Server.Configuration.Validation;

public enum ConfigurationFormat
{
    Toml,
    Json,
}

/// <summary>Checks a configuration wherever it comes from: a file, a console, a test. The rules are the same for all.</summary>
public static class ConfigurationValidator
{
    /// <param name="text">Of at most <see cref="ConfigurationNode.TextLengthMax"/> characters.</param>
    /// <param name="file">What it is called; relative paths in it are seen from this file's folder. It need not be there.</param>
    /// <param name="time">The clock by which certificates have expired.</param>
    public static ConfigurationResult Check(
        string text, string file, ConfigurationFormat format = ConfigurationFormat.Toml, TimeProvider? time = null)
    {
        var problems = new ProblemList(file);
        if (text.Length > ConfigurationNode.TextLengthMax)
        {
            problems.Report(0, "", "is larger than 1 MiB: this is not a configuration");
            return new ConfigurationResult.Invalid([.. problems.Problems]);
        }

        void Report(int line, string key, string message) => problems.Report(line, key, message);
        var tree = format == ConfigurationFormat.Json ? JsonSource.Read(text, Report) : TomlSource.Read(text, Report);

        // What comes after a broken place cannot be told from what the mistake made of it.
        return tree is null ? new ConfigurationResult.Invalid([.. problems.Problems]) : Check(tree, problems, time);
    }

    /// <summary>A tree of any origin.</summary>
    public static ConfigurationResult Check(ConfigurationNode.Table tree, string file, TimeProvider? time = null) =>
        Check(tree, new ProblemList(file), time);

    private static ConfigurationResult Check(ConfigurationNode.Table tree, ProblemList problems, TimeProvider? time) =>
        ConfigurationBinder.Bind(tree, problems, (time ?? TimeProvider.System).GetUtcNow());
}

namespace Sallyport.Server.Configuration.Binding;

/// <summary>All that is found wrong in one configuration.</summary>
/// <param name="file">What the configuration is called; the paths in it are seen from its folder.</param>
internal sealed class ProblemList(string file)
{
    public string File => file;

    public List<ConfigurationProblem> Problems { get; } = [];

    public List<ConfigurationProblem> Warnings { get; } = [];

    public void Report(int line, string key, string message, string? path = null) =>
        Problems.Add(new(file, line, key, message) { Path = path ?? key });

    public void Warn(int line, string key, string message, string? path = null) =>
        Warnings.Add(new(file, line, key, message) { Path = path ?? key });

    /// <summary>Where the first of two is.</summary>
    public static string At(int line) => line > 0 ? $"line {line}" : "an entry before it";
}

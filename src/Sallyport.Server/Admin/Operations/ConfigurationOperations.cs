using Sallyport.Server.Configuration;

namespace Sallyport.Server.Admin.Operations;

/// <summary>Configurations, before they are in force.</summary>
public static class ConfigurationOperations
{
    /// <summary>Every mistake of a configuration, as the process behind the door sees the files it names.</summary>
    public static AdminOperation<ConfigurationText, CheckReport> Check { get; } =
        new("configuration/check", AdminJson.Default.ConfigurationText, AdminJson.Default.CheckReport);
}

/// <summary>A configuration that need not be in a file; it may carry secrets, and is never shown.</summary>
/// <param name="File">What it is called in problems; relative paths in it are relative to this file's directory.</param>
/// <param name="Format">toml or json; toml where it is left out.</param>
public sealed record ConfigurationText(string File, string Text, string? Format = null)
{
    public override string ToString() => $"ConfigurationText {File}";
}

public sealed record CheckReport(bool Valid, ConfigurationProblem[] Problems, ConfigurationProblem[] Warnings);

using System.Collections.Immutable;

namespace Sallyport.Server.Configuration;

/// <summary>A mistake in the configuration, where it is and what is right.</summary>
/// <param name="Line">From 1; 0 when it is about the file as a whole.</param>
/// <param name="Key">As it is written in the file, with its table: "route.smarthost".</param>
public sealed record ConfigurationProblem(string File, int Line, string Key, string Message)
{
    public override string ToString() =>
        (Line > 0 ? $"{File}:{Line}: " : $"{File}: ") + (Key.Length > 0 ? $"{Key}: {Message}" : Message);
}

/// <summary>What became of reading a configuration: all of it, or every mistake in it.</summary>
public abstract record ConfigurationResult
{
    private ConfigurationResult()
    {
    }

    /// <param name="Warnings">What is allowed and yet probably not meant.</param>
    public sealed record Loaded(ServerOptions Options, ImmutableArray<ConfigurationProblem> Warnings) : ConfigurationResult;

    public sealed record Invalid(ImmutableArray<ConfigurationProblem> Problems) : ConfigurationResult
    {
        public ImmutableArray<ConfigurationProblem> Warnings { get; init; } = [];
    }
}

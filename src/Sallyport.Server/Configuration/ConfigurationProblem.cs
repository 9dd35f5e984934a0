using System.Collections.Immutable;

namespace Sallyport.Server.Configuration;

/// <summary>A mistake in the configuration, where it is and what is right.</summary>
/// <param name="Line">From 1; 0 when it is about the configuration as a whole.</param>
/// <param name="Key">As it is written in the file, with its table: "route.smarthost".</param>
public sealed record ConfigurationProblem(string File, int Line, string Key, string Message)
{
    /// <summary>The key among its like, counted from 0: "route[1].smarthost". It finds the place where there are no lines.</summary>
    public string Path { get; init; } = Key;

    public override string ToString() =>
        (Line > 0 ? $"{File}:{Line}: " : $"{File}: ") + (Key.Length > 0 ? $"{Key}: {Message}" : Message);
}

/// <summary>What became of checking a configuration: all of it, or every mistake in it.</summary>
public abstract record ConfigurationResult
{
    private ConfigurationResult()
    {
    }

    /// <summary>In the order of the text; empty when the configuration can be used.</summary>
    public abstract ImmutableArray<ConfigurationProblem> Problems { get; init; }

    /// <summary>What is allowed and yet probably not meant.</summary>
    public abstract ImmutableArray<ConfigurationProblem> Warnings { get; init; }

    public sealed record Loaded(ServerOptions Options, ImmutableArray<ConfigurationProblem> Warnings) : ConfigurationResult
    {
        public override ImmutableArray<ConfigurationProblem> Problems { get; init; } = [];
    }

    public sealed record Invalid(ImmutableArray<ConfigurationProblem> Problems) : ConfigurationResult
    {
        public override ImmutableArray<ConfigurationProblem> Warnings { get; init; } = [];
    }
}

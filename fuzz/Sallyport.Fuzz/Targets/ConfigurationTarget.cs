using System.Text;
using Sallyport.Server.Configuration;
using Sallyport.Server.Configuration.Validation;

namespace Sallyport.Fuzz.Targets;

/// <summary>A configuration as TOML and as JSON: loaded, or refused with a reason.</summary>
public static class ConfigurationTarget
{
    public static void Fuzz(ReadOnlySpan<byte> octets)
    {
        var text = Encoding.UTF8.GetString(octets);
        foreach (var format in (ConfigurationFormat[])[ConfigurationFormat.Toml, ConfigurationFormat.Json])
        {
            var result = ConfigurationValidator.Check(text, "/nowhere/sallyport.toml", format);
            BrokenInvariantException.Unless(result is ConfigurationResult.Loaded || !result.Problems.IsEmpty, "a refusal has a reason");
            BrokenInvariantException.Unless(result.Problems.All(problem => problem.Message.Length > 0), "a problem has words");
        }
    }
}

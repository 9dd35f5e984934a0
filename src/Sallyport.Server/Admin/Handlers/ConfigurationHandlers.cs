using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Certificates;
using Sallyport.Server.Configuration;
using Sallyport.Server.Configuration.Validation;
using Sallyport.Server.Identity.Directories.Certificates;

namespace Sallyport.Server.Admin.Handlers;

/// <summary>Checks configurations; needs no store.</summary>
internal sealed class ConfigurationHandlers(TimeProvider time)
{
    public void Register(AdminDispatcher handlers) =>
        handlers.On(ConfigurationOperations.Check, (text, _) => ValueTask.FromResult(Check(text)));

    /// <exception cref="AdminRefusedException">The format is none.</exception>
    public static ConfigurationResult Read(ConfigurationText text, TimeProvider time) => ConfigurationValidator.Check(
        text.Text, text.File, text.Format switch
        {
            null or "toml" => ConfigurationFormat.Toml,
            "json" => ConfigurationFormat.Json,
            _ => throw new AdminRefusedException(new(false, AdminCodes.InvalidRequest, "format must be toml or json")),
        }, time);

    private CheckReport Check(ConfigurationText text)
    {
        var result = Read(text, time);
        var (problems, warnings) = result switch
        {
            ConfigurationResult.Loaded loaded => (Files(text.File, loaded.Options).ToList(), loaded.Warnings.ToArray()),
            ConfigurationResult.Invalid invalid => (invalid.Problems.ToList(), invalid.Warnings.ToArray()),
            _ => ([], []),
        };
        return new(problems.Count == 0, [.. problems], warnings);
    }

    /// <summary>What only shows when the files it names are used.</summary>
    private static IEnumerable<ConfigurationProblem> Files(string file, ServerOptions options)
    {
        if (CertificateError(options) is { } broken)
        {
            yield return new(file, 0, "tls", broken);
        }

        foreach (var directory in options.Directories.OfType<CertificateDirectoryOptions>())
        {
            if (new CertificateDirectory(directory).Diagnose() is { } trouble)
            {
                yield return new(file, 0, "directory." + directory.Name, trouble);
            }
        }
    }

    private static string? CertificateError(ServerOptions options)
    {
        try
        {
            ServerCertificate.Load(options);
            return null;
        }
        catch (StartException exception)
        {
            return exception.Message;
        }
    }
}

namespace Sallyport.Server.Configuration;

/// <summary>The files a configuration names, seen from its own directory.</summary>
internal sealed class ConfiguredFiles(string file, List<ConfigurationProblem> warnings)
{
    private const int SecretBytesMax = 4096;
    private readonly string _directory = Path.GetDirectoryName(Path.GetFullPath(file)) ?? "/";

    public string Resolve(string path) => Path.GetFullPath(path, _directory);

    public string MustExist(Section section, string key, string path)
    {
        var full = Resolve(path);
        if (!File.Exists(full))
        {
            section.Report(key, $"there is no file {full}");
        }

        return full;
    }

    /// <summary>
    /// A secret by the keys "<paramref name="key"/>_file" or "<paramref name="key"/>_env": never by its own. Null when neither is there,
    /// or when there is something wrong, which is reported.
    /// </summary>
    public string? NamedSecret(Section section, string key)
    {
        var (fileKey, variableKey) = (key + "_file", key + "_env");
        if (section.Has(key))
        {
            section.Report(key, $"must not be in the configuration: name a file with {fileKey}, or a variable with {variableKey}");
        }

        var path = section.Text(fileKey);
        var variable = section.Text(variableKey);
        if (path is not null && variable is not null)
        {
            section.Report(variableKey, $"and {fileKey} are both set: which is it?");
        }

        if (variable is not null && string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable)))
        {
            section.Report(variableKey, $"there is no environment variable {variable}, or it is empty");
        }

        return path is not null ? Secret(section, fileKey, path)
            : variable is not null ? Environment.GetEnvironmentVariable(variable) : null;
    }

    /// <summary>The first line of a file only we should be able to read. Null when there is none, which is reported.</summary>
    public string? Secret(Section section, string key, string path)
    {
        var full = MustExist(section, key, path);
        try
        {
            if (!File.Exists(full))
            {
                return null;
            }

            if (!OperatingSystem.IsWindows()
                && (File.GetUnixFileMode(full) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
            {
                warnings.Add(new(file, section.LineOf(key), $"{section.Name}.{key}", $"{full} can be read by everybody; chmod 600 it"));
            }

            var secret = new FileInfo(full).Length <= SecretBytesMax ? File.ReadLines(full).FirstOrDefault() : null;
            if (string.IsNullOrEmpty(secret))
            {
                section.Report(key, $"the first line of {full} must be the password");
            }

            return secret;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            section.Report(key, $"{full} cannot be read: {exception.Message}");
            return null;
        }
    }
}

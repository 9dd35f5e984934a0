using Sallyport.Store;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>The files a configuration names, seen from its own directory.</summary>
internal sealed class ConfiguredFiles(string file)
{
    private const int SecretBytesMax = 4096;
    private const int PemBytesMax = 1024 * 1024;
    private readonly string _directory = Path.GetDirectoryName(Path.GetFullPath(file)) ?? "/";

    public string Resolve(string path) => Path.GetFullPath(path, _directory);

    public string Resolve(Section section, string key, string path)
    {
        var full = Resolve(path);
        if (path.StartsWith('~'))
        {
            section.Warn(key, $"\"~\" is not expanded here: this means {full}; write the whole path");
        }

        return full;
    }

    public string MustExist(Section section, string key, string path)
    {
        var full = Resolve(path);
        if (Directory.Exists(full))
        {
            section.Report(key, $"{full} is a directory; name the file in it");
        }
        else if (!File.Exists(full))
        {
            section.Report(key, $"there is no file {full}{(path.StartsWith('~') ? ": \"~\" is not expanded here" : "")}");
        }
        else if (!UnixFile.MayRead(full))
        {
            section.Report(key, $"{full} belongs to {UnixFile.Owner(full)}, and {UnixFile.CurrentUser} may not read it");
        }

        return full;
    }

    /// <summary>A file that a command of ours makes: its folder must be there, and until then it is a doubt.</summary>
    public string MayBeMissing(Section section, string key, string path)
    {
        var full = Resolve(section, key, path);
        if (File.Exists(full) || Directory.Exists(full) || !Directory.Exists(Path.GetDirectoryName(full)))
        {
            return MustExist(section, key, path);
        }

        section.Warn(key, $"{full} is not there yet: until `sallyport import` has made it, logins get 454");
        return full;
    }

    /// <summary>What is in a file; null when it cannot be read, which <see cref="MustExist"/> has reported.</summary>
    public string? TextOf(Section section, string key, string full)
    {
        if (!File.Exists(full) || !UnixFile.MayRead(full))
        {
            return null;
        }

        try
        {
            if (new FileInfo(full).Length <= PemBytesMax)
            {
                return File.ReadAllText(full);
            }

            section.Report(key, $"{full} is larger than 1 MiB: this is not a PEM file");
        }
        catch (Exception exception) when (FileTrouble.IsOf(exception))
        {
            section.Report(key, $"{full} cannot be read: {FileTrouble.Say(exception, full)}");
        }

        return null;
    }

    public static void WarnIfReadByAll(Section section, string key, string full)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(full) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
        {
            section.Warn(key, $"{full} can be read by everybody; chmod 600 it");
        }
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
            if (!File.Exists(full) || !UnixFile.MayRead(full))
            {
                return null;
            }

            WarnIfReadByAll(section, key, full);
            var secret = new FileInfo(full).Length <= SecretBytesMax ? File.ReadLines(full).FirstOrDefault() : null;
            if (string.IsNullOrEmpty(secret))
            {
                section.Report(key, $"the first line of {full} must be the password");
            }

            return secret;
        }
        catch (Exception exception) when (FileTrouble.IsOf(exception))
        {
            section.Report(key, $"{full} cannot be read: {FileTrouble.Say(exception, full)}");
            return null;
        }
    }
}

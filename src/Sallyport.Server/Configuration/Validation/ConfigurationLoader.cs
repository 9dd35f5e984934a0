namespace Sallyport.Server.Configuration.Validation;

/// <summary>Reads the configuration file: strictly, and with every mistake at once.</summary>
public static class ConfigurationLoader
{
    /// <summary>Relative paths in the file are relative to its directory.</summary>
    public static ConfigurationResult Load(string file, TimeProvider? time = null)
    {
        if (file.Length == 0)
        {
            return new ConfigurationResult.Invalid([new("--config", 0, "", "names no file")]);
        }

        try
        {
            if (Directory.Exists(file))
            {
                return new ConfigurationResult.Invalid([new(file, 0, "", "is a directory; name the file in it")]);
            }

            if (new FileInfo(file).Length > ConfigurationNode.TextLengthMax)
            {
                return new ConfigurationResult.Invalid([new(file, 0, "", "is larger than 1 MiB: this is not a configuration")]);
            }

            return Parse(file, File.ReadAllText(file), time);
        }
        catch (Exception exception) when (FileTrouble.IsOf(exception) || exception is ArgumentException)
        {
            return new ConfigurationResult.Invalid([new(file, 0, "", "cannot be read: " + FileTrouble.Say(exception, file))]);
        }
    }

    /// <param name="text">The file's, or what is to become it.</param>
    public static ConfigurationResult Parse(string file, string text, TimeProvider? time = null) =>
        ConfigurationValidator.Check(text, file, ConfigurationFormat.Toml, time);
}

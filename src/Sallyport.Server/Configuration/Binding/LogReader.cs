namespace Sallyport.Server.Configuration.Binding;

/// <summary>[log].</summary>
internal static class LogReader
{
    public static LogOptions Read(Section section, ConfiguredFiles paths)
    {
        var style = section.Choice("style", ("human", LogStyle.Human), ("json", LogStyle.Json), ("domino", LogStyle.Domino));
        var file = section.Text("file");
        section.Finish();
        return new LogOptions { Style = style ?? LogStyle.Human, File = file is null ? null : paths.Resolve(section, "file", file) };
    }
}

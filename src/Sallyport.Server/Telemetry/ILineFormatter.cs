using Sallyport.Server.Configuration;

namespace Sallyport.Server.Telemetry;

/// <summary>Turns an event into one line, without its line end. Null when this style has no line for it.</summary>
public interface ILineFormatter
{
    string? Format(MailEvent mailEvent, DateTimeOffset at);

    static ILineFormatter Of(LogStyle style) => style switch
    {
        LogStyle.Json => new JsonFormatter(),
        LogStyle.Domino => new DominoFormatter(),
        _ => new HumanFormatter(),
    };
}

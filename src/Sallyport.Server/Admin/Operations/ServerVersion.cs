using System.Reflection;

namespace Sallyport.Server.Admin.Operations;

/// <summary>The version of this build.</summary>
public static class ServerVersion
{
    public static string Text { get; } = typeof(ServerVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
        ?.InformationalVersion.Split('+')[0] ?? "unknown";
}

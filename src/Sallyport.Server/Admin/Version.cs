using System.Reflection;

namespace Sallyport.Server.Admin;

/// <summary>The version of this build.</summary>
public static class Version
{
    public static string Text { get; } = typeof(Version).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
        ?.InformationalVersion.Split('+')[0] ?? "unknown";
}

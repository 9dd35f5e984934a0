using System.Globalization;
using System.Runtime.InteropServices;

namespace Sallyport.Store;

/// <summary>Who owns a file, and what this process may do with it. Elsewhere than on Linux nothing is known, and everything allowed.</summary>
public static partial class UnixFile
{
    private const int BytesOfStatx = 256;
    private const int UserAt = 20;
    private const int GroupAt = 24;
    private const int CurrentDirectory = -100;
    private const uint UserAndGroup = 0x18;
    private const int Write = 2;
    private const int Read = 4;

    public static bool RunsAsRoot => OperatingSystem.IsLinux() && EffectiveUser() == 0;

    /// <summary>The user this process acts for.</summary>
    public static string CurrentUser => OperatingSystem.IsLinux() ? NameOf(EffectiveUser()) : Environment.UserName;

    public static bool MayWrite(string path) => !OperatingSystem.IsLinux() || Access(path, Write) == 0;

    public static bool MayRead(string path) => !OperatingSystem.IsLinux() || Access(path, Read) == 0;

    /// <summary>The name of the file's owner; null when there is no such file, or it cannot be seen.</summary>
    public static string? Owner(string path) => FindOwner(path) is { } owner ? NameOf(owner.User) : null;

    /// <summary>
    /// Run as root, gives a file to whoever owns the directory: what an administrator makes, the service must be able to open.
    /// </summary>
    public static void GiveToOwnerOf(string directory, string path)
    {
        if (RunsAsRoot && FindOwner(directory) is { User: not 0 } owner)
        {
            _ = ChangeOwner(path, owner.User, owner.Group);
        }
    }

    /// <summary>Why the file cannot be opened, and what to do, when it is a matter of rights.</summary>
    public static string ExplainNoAccess(string path, string directory)
    {
        var me = CurrentUser;
        var owner = Owner(path) ?? Owner(directory);
        if (owner is null || owner == me)
        {
            return $"{path} cannot be opened by {me}: its mode, or that of a directory above it, does not allow it";
        }

        return Owner(directory) == me
            ? $"{path} belongs to {owner}, and this runs as {me}: as root, `chown -R {me}: {directory}`"
            : $"{path} belongs to {owner}, and this runs as {me}: run it as that user (`sudo -u {owner} sallyport …`)";
    }

    private static (uint User, uint Group)? FindOwner(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        Span<byte> facts = stackalloc byte[BytesOfStatx];
        return StatX(CurrentDirectory, path, 0, UserAndGroup, ref MemoryMarshal.GetReference(facts)) == 0
            ? (MemoryMarshal.Read<uint>(facts[UserAt..]), MemoryMarshal.Read<uint>(facts[GroupAt..]))
            : null;
    }

    /// <summary>The user of this number; the number where it has no name.</summary>
    public static string NameOf(uint user)
    {
        var number = user.ToString(CultureInfo.InvariantCulture);
        try
        {
            return File.ReadLines("/etc/passwd").Select(line => line.Split(':'))
                .FirstOrDefault(fields => fields.Length > 2 && fields[2] == number)?[0] ?? "user " + number;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "user " + number;
        }
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatX(int directory, string path, int flags, uint mask, ref byte facts);
}

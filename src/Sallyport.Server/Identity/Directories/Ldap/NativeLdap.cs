using System.Reflection;
using System.Runtime.InteropServices;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>
/// What System.DirectoryServices.Protocols does not reach in libldap: options of one connection, a connection on a socket that is ours,
/// and a bind whose result is seen whole (docs/decisions/0010).
/// </summary>
internal static partial class NativeLdap
{
    public const int OptionReferrals = 0x08;
    public const int OptionVersion = 0x11;
    public const int OptionTlsCaFile = 0x6002;
    public const int OptionTlsRequireCertificate = 0x6006;
    public const int OptionTlsProtocolMin = 0x6007;
    public const int OptionTlsNewContext = 0x600f;
    public const int TlsDemand = 2;
    public const int Tls12 = 0x303;
    public const int Version3 = 3;
    public const int OverTcp = 1;
    public const int All = 1;
    public const string PasswordPolicy = "1.3.6.1.4.1.42.2.27.8.5.1";

    private const string Library = "libldap.so.2";
    private const int GetFlags = 3;
    private const int SetFlags = 4;
    private const int NonBlocking = 0x800;

    // In the order of System.DirectoryServices.Protocols: the two must speak with the same library.
    private static readonly string[] Names = [Library, "libldap-2.6.so.0", "libldap-2.5.so.0", "libldap-2.4.so.2"];
    private static readonly nint Found = Find();

    static NativeLdap() => NativeLibrary.SetDllImportResolver(
        typeof(NativeLdap).Assembly, static (name, _, _) => name == Library ? Found : 0);

    /// <summary>Is libldap on this machine?</summary>
    public static bool IsPresent => Found != 0;

    /// <summary>A descriptor of its own for the same socket, blocking, which libldap may close.</summary>
    public static int Duplicate(nint descriptor)
    {
        var copy = Dup((int)descriptor);
        if (copy >= 0)
        {
            _ = FileControl(copy, SetFlags, FileControl(copy, GetFlags, 0) & ~NonBlocking);
        }

        return copy;
    }

    [LibraryImport(Library, EntryPoint = "ldap_init_fd")]
    public static partial int InitOn(int descriptor, int protocol, [MarshalAs(UnmanagedType.LPUTF8Str)] string url, out nint ld);

    [LibraryImport(Library, EntryPoint = "ldap_set_option")]
    public static partial int SetText(nint ld, int option, [MarshalAs(UnmanagedType.LPUTF8Str)] string value);

    [LibraryImport(Library, EntryPoint = "ldap_set_option")]
    public static partial int SetNumber(nint ld, int option, in int value);

    /// <summary>Zero is LDAP_OPT_OFF.</summary>
    [LibraryImport(Library, EntryPoint = "ldap_set_option")]
    public static partial int SetSwitch(nint ld, int option, nint value);

    [LibraryImport(Library, EntryPoint = "ldap_get_option")]
    public static partial int GetText(nint ld, int option, out nint value);

    [LibraryImport(Library, EntryPoint = "ldap_install_tls")]
    public static partial int InstallTls(nint ld);

    [LibraryImport(Library, EntryPoint = "ldap_start_tls_s")]
    public static partial int StartTls(nint ld, nint serverControls, nint clientControls);

    [LibraryImport(Library, EntryPoint = "ldap_sasl_bind")]
    public static partial int Bind(
        nint ld, [MarshalAs(UnmanagedType.LPUTF8Str)] string dn, nint mechanism, in Octets password, nint serverControls, nint clientControls,
        out int message);

    [LibraryImport(Library, EntryPoint = "ldap_result")]
    public static partial int Result(nint ld, int message, int all, in Wait wait, out nint result);

    [LibraryImport(Library, EntryPoint = "ldap_parse_result")]
    public static partial int ParseResult(
        nint ld, nint result, out int code, nint matched, out nint diagnostic, nint referrals, out nint controls, int free);

    [LibraryImport(Library, EntryPoint = "ldap_control_create")]
    public static partial int CreateControl([MarshalAs(UnmanagedType.LPUTF8Str)] string oid, int critical, nint value, int copy, out nint control);

    [LibraryImport(Library, EntryPoint = "ldap_control_find")]
    public static partial nint FindControl([MarshalAs(UnmanagedType.LPUTF8Str)] string oid, nint controls, nint next);

    [LibraryImport(Library, EntryPoint = "ldap_parse_passwordpolicy_control")]
    public static partial int ParsePasswordPolicy(nint ld, nint control, out int expires, out int grace, out int error);

    [LibraryImport(Library, EntryPoint = "ldap_control_free")]
    public static partial void FreeControl(nint control);

    [LibraryImport(Library, EntryPoint = "ldap_controls_free")]
    public static partial void FreeControls(nint controls);

    [LibraryImport(Library, EntryPoint = "ldap_memfree")]
    public static partial void Free(nint memory);

    [LibraryImport(Library, EntryPoint = "ldap_unbind_ext_s")]
    public static partial int Unbind(nint ld, nint serverControls, nint clientControls);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    /// <summary>A text libldap allocated for us, which is freed.</summary>
    public static string TakeText(nint text)
    {
        var taken = Marshal.PtrToStringUTF8(text) ?? "";
        if (text != 0)
        {
            Free(text);
        }

        return taken;
    }

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Dup(int descriptor);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int FileControl(int descriptor, int command, int argument);

    private static nint Find()
    {
        foreach (var name in Names)
        {
            if (NativeLibrary.TryLoad(name, Assembly.GetExecutingAssembly(), null, out var handle))
            {
                return handle;
            }
        }

        return 0;
    }

    /// <summary>struct berval.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Octets
    {
        public nint Length;
        public nint Start;
    }

    /// <summary>struct timeval.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Wait
    {
        public nint Seconds;
        public nint Microseconds;
    }
}

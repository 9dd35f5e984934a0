using System.Collections.Immutable;

namespace Sallyport.Server.Identity.Import;

public enum ImportFormat
{
    Ldif,
    Csv,
}

/// <summary>Which attributes or columns hold what. Names are compared without regard to case.</summary>
/// <param name="Logins">The first there is names the login; all further values are aliases of it.</param>
/// <param name="Passwords">Each may have several values: the strongest form that can be checked is taken.</param>
/// <param name="IsDomino">Names and hashes are written as Domino does.</param>
public sealed record ImportMapping(
    ImmutableArray<string> Logins, ImmutableArray<string> Passwords, ImmutableArray<string> Addresses, ImmutableArray<string> Groups,
    bool IsDomino = false)
{
    public static readonly ImmutableArray<string> PresetNames = ["none", "domino", "openldap", "active-directory"];

    /// <param name="preset">One of <see cref="PresetNames"/>.</param>
    public static ImportMapping Of(string preset, ImportFormat format) => (preset, format) switch
    {
        ("domino", ImportFormat.Csv) => new(["fullname", "internetaddress"], ["httppassword"], ["internetaddress"], [], IsDomino: true),
        ("domino", _) => new(["dn", "cn", "mail"], ["httppassword", "userpassword"], ["mail"], ["dominoaccessgroups"], IsDomino: true),
        ("active-directory", _) => new(
            ["userprincipalname", "samaccountname", "mail"], ["userpassword", "unixuserpassword"], ["mail", "proxyaddresses"], ["memberof"]),
        ("openldap", _) => new(["uid", "mail"], ["userpassword"], ["mail"], ["memberof"]),
        (_, ImportFormat.Csv) => new(["login"], ["password"], ["address"], ["group"]),
        _ => new(["uid"], ["userpassword"], ["mail"], []),
    };

    /// <summary>What the readers are to keep: these, and what says whether an account may log in at all.</summary>
    internal IEnumerable<string> Wanted => [.. Logins, .. Passwords, .. Addresses, .. Groups, .. AccountMarks.Fields];
}

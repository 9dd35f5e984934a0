using System.Text;

namespace Sallyport.EndToEnd.Harness;

/// <summary>The published binary in front of a slapd.</summary>
internal sealed class LdapSite : IAsyncDisposable
{
    private readonly TestFolder _folder = new();

    private LdapSite() => Certificates = new Certificates(_folder);

    public Certificates Certificates { get; }

    public List<Slapd> Servers { get; } = [];

    public SallyportServer Sallyport { get; private set; } = null!;

    public string CaFile => Certificates.CaFile;

    /// <summary>A file with this secret, as a configuration names it.</summary>
    public string Secret(string secret)
    {
        var file = _folder.Write("lookup.password", secret + "\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return file;
    }

    public static Task<LdapSite> DominoAsync(Func<LdapSite, string> keys, int servers = 1) =>
        StartAsync(LdapTrees.Domino, LdapTrees.DominoPeople, keys, servers);

    public static Task<LdapSite> OpenLdapAsync(Func<LdapSite, string> keys, int servers = 1) =>
        StartAsync(LdapTrees.OpenLdap, LdapTrees.OpenLdapPeople, keys, servers);

    /// <summary>The reply to AUTH PLAIN over TLS.</summary>
    public async Task<string> LogInAsync(string login, string password)
    {
        var (session, _) = await RawSession.OpenAsync(Sallyport.ImplicitTlsPort, tls: true);
        await using (session)
        {
            await session.SayAsync("EHLO client.test");
            return await session.SayAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{login}\0{password}")));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Sallyport.DisposeAsync();
        foreach (var server in Servers)
        {
            await server.DisposeAsync();
        }

        _folder.Dispose();
    }

    private static async Task<LdapSite> StartAsync(string tree, string people, Func<LdapSite, string> keys, int servers)
    {
        var site = new LdapSite();
        for (var i = 0; i < servers; i++)
        {
            site.Servers.Add(await Slapd.StartAsync(site._folder, site.Certificates, $"slapd{i}", tree, people));
        }

        var entry = keys(site);
        var cache = entry.Contains("login_cache", StringComparison.Ordinal) ? "" : "login_cache = \"0s\""; // each login is asked
        site.Sallyport = await SallyportServer.StartAsync(more: $"""
            [limits]
            connections_per_address = 1000
            max_auth_failures = 100
            [[directory]]
            name = "site"
            type = "ldap"
            {cache}
            {entry}
            [[directory]]
            type = "local"
            """);
        return site;
    }
}

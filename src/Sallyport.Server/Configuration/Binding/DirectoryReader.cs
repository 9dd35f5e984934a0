namespace Sallyport.Server.Configuration.Binding;

/// <summary>A [[directory]] entry: its type decides which keys it has.</summary>
internal static class DirectoryReader
{
    private static readonly Dictionary<string, Func<Section, string, ConfiguredFiles, DirectoryOptions?>> Types = new(StringComparer.Ordinal)
    {
        ["local"] = static (_, name, _) => new LocalDirectoryOptions(name),
        ["ldap"] = LdapReader.Read,
        ["oidc"] = OidcReader.Read,
        ["certificate"] = CertificateDirectoryReader.Read,
        ["hashes"] = static (section, name, paths) => section.RequiredText("file", "/etc/sallyport/passwords") is { } file
            ? new HashesDirectoryOptions(name, paths.MayBeMissing(section, "file", file)) : null,
        ["imap"] = MailboxServerReader.Imap,
        ["pop3"] = MailboxServerReader.Pop3,
        ["dovecot"] = MailboxServerReader.Dovecot,
    };

    public static DirectoryOptions? Read(Section section, ConfiguredFiles paths)
    {
        var type = section.RequiredText("type", "local");
        var name = section.Text("name") ?? type;
        if (type is null)
        {
            return null;
        }

        if (!Types.TryGetValue(type, out var read))
        {
            section.Report("type", $"\"{type}\" is not a kind of directory; {string.Join(", ", Types.Keys)} are" + Section.Guess(type, Types.Keys));
            return null;
        }

        var options = ReadMemory(section, read(section, name!, paths));
        section.Finish();
        return options;
    }

    /// <summary>What is remembered of a directory that is asked over a wire.</summary>
    private static DirectoryOptions? ReadMemory(Section section, DirectoryOptions? options) =>
        options is LdapDirectoryOptions or MailboxDirectoryOptions or DovecotDirectoryOptions
            ? options with
            {
                LoginCache = section.Time("login_cache", TimeSpan.FromMinutes(1), TimeSpan.Zero, TimeSpan.FromHours(1)),
                OutageFor = section.Time("outage_for", TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromDays(7)),
            }
            : options;
}

using System.Text;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Identity.Directories.Hashes;
using Sallyport.Server.Identity.Import;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Import;

public sealed class HashImportTests : IDisposable
{
    private const string Ssha = "{SSHA}9DgilxbKtDVpSW86NjCzcnUkuBtzYWx0";
    private const string Bcrypt = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    private const string Crypt =
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";

    private readonly string _folder = Directory.CreateTempSubdirectory("sallyport-import-").FullName;

    private string File => Path.Combine(_folder, "passwords");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void An_OpenLDAP_tree_becomes_a_file_the_directory_reads()
    {
        var report = Ldif($"""
            dn: dc=acme,dc=test
            objectClass: organization
            o: Acme

            dn: uid=jane,dc=acme,dc=test
            objectClass: inetOrgPerson
            uid: Jane
            mail: jane@acme.test
            mail: info@acme.test
            memberOf: cn=Sales,ou=Groups,dc=acme,dc=test
            userPassword: {Ssha}

            dn: uid=bob,dc=acme,dc=test
            objectClass: inetOrgPerson
            uid: bob
            mail: bob@acme.test
            userPassword: {Ssha}
            userPassword: {Crypt}
            pwdAccountLockedTime: 000001010000Z

            dn: uid=none,dc=acme,dc=test
            objectClass: inetOrgPerson
            uid: none

            dn: uid=plain,dc=acme,dc=test
            objectClass: inetOrgPerson
            uid: plain
            userPassword: secret words
            """, "openldap");
        Assert.Equal((5, 2, 2, 1, 1), (report.Read, report.Added, report.Skipped, report.PassedOver, report.Disabled));
        Assert.Equal(
            [new("{SSHA}", 1, true, true), new("SHA-512 crypt", 1, true, false), new ImportedForm("plain text", 1, false, true)],
            report.Forms.OrderBy(form => form.Form != "{SSHA}").ThenBy(form => form.Form == "plain text"));
        Assert.DoesNotContain(report.Warnings, warning => warning.Text.Contains("secret words", StringComparison.Ordinal));
        Assert.Contains(report.Warnings, warning => warning is { Line: 21, What: "skipped", Text: "none has no password in userpassword" });

        var read = HashFile.Parse(System.IO.File.ReadLines(File));
        Assert.Empty(read.Mistakes);
        var jane = read.Accounts["jane@acme.test"];
        Assert.Equal("jane", jane.Login);
        Assert.Equal(["jane@acme.test", "info@acme.test"], jane.Addresses);
        Assert.Equal(["cn=Sales,ou=Groups,dc=acme,dc=test"], jane.Groups);
        Assert.True(jane.Hash.Matches("test"));
        Assert.True(read.Accounts["bob"].Disabled);
        Assert.True(read.Accounts["bob"].Hash.Matches("Hello world!"));
    }

    [Fact]
    public void A_Domino_person_goes_by_each_of_the_names_Domino_takes()
    {
        var report = Ldif("""
            dn: CN=Jane Doe,OU=Sales,O=Acme
            objectclass: dominoPerson
            cn: Jane Doe
            cn: Jane Miller/Sales/Acme
            mail: jane.doe@acme.test
            uid: jdoe
            HTTPPassword: (GDJ0nDZI8l8RJzlRbemg)
            dominoAccessGroups: CN=SMTP-Submit

            dn: CN=John Roe,O=Acme
            cn: John Roe
            HTTPPassword: 3dd2e1e5ac03e230243d58b8c5ada076
            """, "domino");
        Assert.Equal(2, report.Added);
        var read = HashFile.Parse(System.IO.File.ReadLines(File));
        var jane = read.Accounts["cn=jane doe/ou=sales/o=acme"];
        Assert.Equal(
            ["jane doe/sales/acme", "cn=jane doe,ou=sales,o=acme", "jane doe", "jane miller/sales/acme", "jane.doe@acme.test"], jane.Aliases);
        Assert.Equal(["SMTP-Submit"], jane.Groups);
        Assert.All(jane.Aliases, alias => Assert.Same(jane, read.Accounts[alias]));
        Assert.True(read.Accounts["john roe"].Hash.Matches("hashcat"));
        Assert.False(read.Accounts.ContainsKey("jdoe"));
    }

    [Fact]
    public void A_merge_adds_and_changes_and_removes_nothing_and_the_same_again_writes_nothing()
    {
        System.IO.File.WriteAllLines(File, ["# ours", $"carol:{Ssha}", $"jane:{Bcrypt}", "broken", $"dave:{Ssha}"]);
        var text = $"login,password,address\njane,{Ssha},jane@acme.test\ndave,{Ssha},\nnew:one,{Crypt},\n";
        var report = Csv(text);
        Assert.Equal((1, 1, 1, 1, 0), (report.Added, report.Changed, report.Unchanged, report.Kept, report.Removed));
        Assert.Equal(
            ["# ours", $"carol:{Ssha}", $"jane:{Ssha}:jane@acme.test", "broken", $"dave:{Ssha}", $"new\\:one:{Crypt}"],
            System.IO.File.ReadLines(File));
        var before = System.IO.File.GetLastWriteTimeUtc(File);
        var again = Csv(text);
        Assert.Equal((true, 0, 0, 3), (again.Done, again.Added, again.Changed, again.Unchanged));
        Assert.Equal(before, System.IO.File.GetLastWriteTimeUtc(File));
        Assert.True(
            OperatingSystem.IsWindows() || System.IO.File.GetUnixFileMode(File) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Fact]
    public void A_replacement_removes_who_is_not_there_any_more()
    {
        System.IO.File.WriteAllLines(File, ["# ours", $"carol:{Ssha}", $"jane:{Bcrypt}", $"plain:{Bcrypt}"]);
        var report = Csv($"login,password\njane,{Bcrypt}\nplain,words\n", options => options with { Replace = true });
        Assert.Equal((0, 1, 2), (report.Changed, report.Unchanged, report.Removed));
        Assert.Equal(["# ours", $"jane:{Bcrypt}"], System.IO.File.ReadLines(File));
    }

    [Fact]
    public void A_trial_of_an_import_changes_no_file()
    {
        var report = Csv($"login,password\njane,{Bcrypt}\n", options => options with { DryRun = true });
        Assert.Equal((true, true, 1), (report.Done, report.DryRun, report.Added));
        Assert.False(System.IO.File.Exists(File));
    }

    [Fact]
    public void Who_is_disabled_at_the_source_is_shut_here_even_without_a_hash()
    {
        System.IO.File.WriteAllLines(File, [$"jane:{Bcrypt}", $"bob:{Bcrypt}"]);
        var report = Csv($"login,password,disabled\njane,,yes\nbob,{Bcrypt},no\nnobody,!,\n");
        Assert.Equal([$"jane:{Bcrypt}:::disabled", $"bob:{Bcrypt}"], System.IO.File.ReadLines(File));
        Assert.Equal(1, report.Disabled);
        Assert.Contains(report.Warnings, warning => warning is { Line: 2, What: "disabled" });
    }

    [Fact]
    public void Plain_passwords_are_hashed_only_on_demand_and_once()
    {
        const string text = "login,password\njane,Pässwört €42\n";
        Assert.False(Csv(text).Done);
        Assert.Equal(1, Csv(text, options => options with { HashPlain = true }).Added);
        var line = Assert.Single(System.IO.File.ReadLines(File), line => line[0] != '#');
        Assert.StartsWith("jane:{SCRAM-SHA-256}600000,", line, StringComparison.Ordinal);
        Assert.True(HashFile.Parse([line]).Accounts["jane"].Hash is { IsWeak: false } hash && hash.Matches("Pässwört €42"));
        Assert.Equal(1, Csv(text, options => options with { HashPlain = true }).Unchanged);
    }

    [Fact]
    public void Of_a_login_that_comes_twice_the_first_counts_and_a_shared_name_is_nobodys()
    {
        var report = Ldif($"""
            dn: uid=a
            uid: twin1
            mail: twin@acme.test
            userPassword: {Ssha}

            dn: uid=b
            uid: twin2
            mail: twin@acme.test
            userPassword: {Ssha}

            dn: uid=c
            uid: TWIN1
            userPassword: {Bcrypt}
            """, "openldap");
        Assert.Equal((2, 1), (report.Added, report.Skipped));
        Assert.Contains(report.Warnings, warning => warning is { Line: 11, Text: "twin1 is in line 1 already, and the first one counts" });
        Assert.Contains(report.Warnings, warning => warning is
        { Line: 6, What: "duplicate", Text: "twin2 and twin1 (line 1) both go by twin@acme.test: it is not a name of either" });
        var read = HashFile.Parse(System.IO.File.ReadLines(File));
        Assert.False(read.Accounts.ContainsKey("twin@acme.test"));
        Assert.Equal(Ssha, read.Accounts["twin1"].Stored);
    }

    [Fact]
    public void Nothing_to_import_leaves_the_file_alone()
    {
        System.IO.File.WriteAllLines(File, [$"jane:{Bcrypt}"]);
        var report = Ldif("dn: a\nchangetype: delete\n", "openldap", options => options with { Replace = true });
        Assert.False(report.Done);
        Assert.StartsWith("nothing is imported: line 2: the file has changes", report.Message, StringComparison.Ordinal);
        Assert.False(Csv("login,password\njane,\n", options => options with { Replace = true }).Done);
        Assert.Equal([$"jane:{Bcrypt}"], System.IO.File.ReadLines(File));
    }

    [Fact]
    public void A_link_stays_a_link_and_no_draft_is_left()
    {
        var real = Path.Combine(_folder, "real");
        System.IO.File.WriteAllText(real, "");
        System.IO.File.CreateSymbolicLink(File, real);
        Csv($"login,password\njane,{Bcrypt}\n");
        Assert.NotNull(new FileInfo(File).LinkTarget);
        Assert.Contains(System.IO.File.ReadLines(real), line => line == $"jane:{Bcrypt}");
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder).Length);
    }

    private ImportReport Ldif(string text, string preset, Func<ImportOptions, ImportOptions>? with = null) =>
        Run(text, preset, ImportFormat.Ldif, with);

    private ImportReport Csv(string text, Func<ImportOptions, ImportOptions>? with = null) => Run(text, "none", ImportFormat.Csv, with);

    private ImportReport Run(string text, string preset, ImportFormat format, Func<ImportOptions, ImportOptions>? with)
    {
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(text));
        var options = new ImportOptions(File, _folder, format, ImportMapping.Of(preset, format));
        return HashImport.Run(input, with?.Invoke(options) ?? options, new FakeTimeProvider());
    }
}

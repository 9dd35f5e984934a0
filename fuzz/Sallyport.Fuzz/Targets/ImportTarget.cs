using Sallyport.Server.Identity.Import;

namespace Sallyport.Fuzz.Targets;

/// <summary>LDIF and CSV of other systems.</summary>
public static class ImportTarget
{
    private static readonly string[] Wanted = ["uid", "mail", "userpassword", "login", "password"];

    public static void Fuzz(ReadOnlySpan<byte> octets)
    {
        var file = octets.ToArray();
        using var ldif = new MemoryStream(file);
        var entries = LdifReader.Read(ldif, Wanted).Count();
        BrokenInvariantException.Unless(entries <= file.Length + 1, "more entries than octets");
        foreach (var delimiter in ",;\t")
        {
            using var csv = new MemoryStream(file);
            var rows = CsvReader.Read(csv, delimiter, Wanted, []).Count();
            BrokenInvariantException.Unless(rows <= file.Length + 1, "more rows than octets");
        }
    }
}

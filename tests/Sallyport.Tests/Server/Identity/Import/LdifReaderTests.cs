using System.Text;
using CsCheck;
using Sallyport.Server.Identity.Import;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Import;

public sealed class LdifReaderTests
{
    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void Entries_come_with_their_values_unfolded_and_decoded(string newline)
    {
        var text = """
            version: 1
            # a comment that
              goes on
            dn: uid=jane,dc=acme,
             dc=test
            uid: jane
            MAIL: jane@acme.test
            mail;lang-de: j.doe@acme.test
            description: not asked for
            userPassword:: e1NTSEF9b
             mFtZQ==

            dn:: dWlkPWrDtnJnLGRjPWFjbWU=
            uid: jörg
            """.ReplaceLineEndings(newline);
        var (jane, joerg) = Read(text) is [var a, var b] ? ((ImportRecord.Entry)a, (ImportRecord.Entry)b) : throw new InvalidDataException();
        Assert.Equal((4, "uid=jane,dc=acme,dc=test"), (jane.Line, jane.Name));
        Assert.Equal(["jane@acme.test", "j.doe@acme.test"], jane.All("mail"));
        Assert.Equal(["{SSHA}name"], jane.All("userpassword"));
        Assert.Empty(jane.All("description"));
        Assert.Equal((13, "uid=jörg,dc=acme"), (joerg.Line, joerg.Name));
        Assert.Equal(["jörg"], joerg.All("uid"));
    }

    [Theory]
    [InlineData("dn: a\nuserPassword:: &&&\n\n", "a: line 2: userpassword is not base64")]
    [InlineData("dn: a\nuserPassword:: YW\n\n", "a: line 2: userpassword is not base64")]
    [InlineData("dn: a\nuserPassword:< file:///etc/passwd\n\n", "a: line 2: userpassword is a URL, and none is followed: export the value itself")]
    [InlineData("dn: a\nuid: ja\0ne\n\n", "a: line 2: uid is not UTF-8 text")]
    [InlineData("dn: a\nuid:: amEAbmU=\n\n", "a: line 2: uid is not UTF-8 text")]
    [InlineData("dn: a\nuid:: /w==\n\n", "a: line 2: uid is not UTF-8 text")]
    [InlineData("dn: a\nnonsense\n\n", "a: line 2: is not \"name: value\"")]
    [InlineData(" leads: nowhere\n\n", "an entry: line 1: is not \"name: value\"")]
    [InlineData("uid: jane\n\n", "an entry without a dn")]
    public void A_mistake_costs_its_entry_alone(string wrong, string why)
    {
        var records = Read(wrong + "dn: b\nuid: bob\n");
        Assert.Equal(why, Assert.IsType<ImportRecord.Mistake>(records[0]).Why);
        Assert.Equal(["bob"], Assert.IsType<ImportRecord.Entry>(records[1]).All("uid"));
        Assert.Equal(2, records.Count);
    }

    [Theory]
    [InlineData("dn: a\nchangetype: modify\nreplace: uid\nuid: x\n-\n\n", 2, "changetype")]
    [InlineData("dn: a\nchangetype: add\nuid: x\n", 2, "changetype")]
    [InlineData("version: 2\ndn: a\n", 1, "version")]
    [InlineData("\u00FE\u00FFd", 1, "UTF-16")]
    [InlineData("\u00FF\u00FEd", 1, "UTF-16")]
    public void What_is_no_list_of_entries_is_refused_whole(string text, int line, string word)
    {
        var refused = Assert.IsType<ImportRecord.Refused>(Read(Encoding.Latin1.GetBytes(text))[^1]);
        Assert.Equal(line, refused.Line);
        Assert.Contains(word, refused.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_megabyte_that_nobody_asked_for_is_passed_over_and_one_that_was_costs_its_entry()
    {
        var long_ = new string('x', 1_000_000);
        var records = Read($"dn: a\njpegPhoto:: {long_}\nuid: jane\n\ndn: b\nuid: {long_}\n\ndn: c\nuid: carol\n{long_}\n\ndn: d\nuid: dave\n");
        Assert.Equal(["jane"], Assert.IsType<ImportRecord.Entry>(records[0]).All("uid"));
        Assert.Equal("b: line 6: uid is longer than 64 KiB", Assert.IsType<ImportRecord.Mistake>(records[1]).Why);
        Assert.IsType<ImportRecord.Mistake>(records[2]);
        Assert.Equal(["dave"], Assert.IsType<ImportRecord.Entry>(records[3]).All("uid"));
    }

    [Fact]
    public void What_is_written_by_the_rules_is_read_as_it_was() =>
        Gen.OneOfConst("a", "ü", " ", ":", "<", "#", "用", "\\", "0").Array[1, 60].Select(string.Concat).Array[1, 5].Array[1, 5]
            .Select(Gen.Int[10, 80], Gen.Bool).Sample((entries, width, windows) =>
            {
                var text = string.Concat(entries.Select((values, i) =>
                    $"dn: e{i}\n" + string.Concat(values.Select(value => Field(value, width))) + "\n"));
                var read = Read(windows ? text.ReplaceLineEndings("\r\n") : text).Cast<ImportRecord.Entry>().ToList();
                Assert.Equal(entries.Length, read.Count);
                Assert.All(entries.Zip(read), pair => Assert.Equal(pair.First, pair.Second.All("uid")));
            }, iter: 2_000, threads: 1);

    [Fact]
    public void No_octets_are_an_exception() =>
        Gen.OneOf(Gen.Byte, Gen.OneOfConst("dnui: \r\n#<".Select(c => (byte)c).ToArray())).Array[0, 300]
            .Sample(octets => Assert.All(Read(octets), record => Assert.True(record.Line >= 1)), iter: 5_000, threads: 1);

    /// <summary>RFC 2849: base64 where the value needs it, folded at any column.</summary>
    private static string Field(string value, int width)
    {
        var isSafe = value.All(char.IsAscii) && value[0] is not (' ' or ':' or '<') && value[^1] != ' ';
        var line = isSafe ? $"uid: {value}" : $"uid:: {Convert.ToBase64String(Encoding.UTF8.GetBytes(value))}";
        return string.Join("\n ", line.Chunk(width).Select(part => new string(part))) + "\n";
    }

    private static List<ImportRecord> Read(string text) => Read(Encoding.UTF8.GetBytes(text));

    private static List<ImportRecord> Read(byte[] octets)
    {
        using var stream = new MemoryStream(octets);
        return [.. LdifReader.Read(stream, ["uid", "mail", "userPassword"])];
    }
}

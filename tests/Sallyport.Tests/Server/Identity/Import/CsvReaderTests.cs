using System.Text;
using CsCheck;
using Sallyport.Server.Identity.Import;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Import;

public sealed class CsvReaderTests
{
    [Theory]
    [InlineData("\n", ',', "")]
    [InlineData("\r\n", ';', "\uFEFF")]
    [InlineData("\r\n", '\t', "")]
    public void Rows_come_by_the_names_of_their_columns(string newline, char delimiter, string mark)
    {
        var text = mark + """"
            Login,"Password",room
            jane,"{SSHA}x",12

            "Doe, ""Jack""","two
            lines",
            "",jö,""
            """".ReplaceLineEndings(newline).Replace(',', delimiter);
        var rows = Read(text, delimiter).Cast<ImportRecord.Entry>().ToList();
        Assert.Equal(["jane", $"Doe{delimiter} \"Jack\"", ""], rows.Select(row => row.All("login").Single()));
        Assert.Equal(["{SSHA}x", $"two{newline}lines", "jö"], rows.Select(row => row.All("password").Single()));
        Assert.Equal([2, 4, 6], rows.Select(row => row.Line));
        Assert.All(rows, row => Assert.Empty(row.All("room")));
    }

    [Theory]
    [InlineData("a,b,c\n", "a row has 3 columns, the first row 2")]
    [InlineData("a\n", "a row has 1 column, the first row 2")]
    [InlineData("a,\"b\"x\n", "a row has text behind a closing quote in line 2")]
    [InlineData("a,5\" disk\n", "a row has a quote within a field without quotes, in line 2")]
    [InlineData("a,b\"x\"\n", "a row has a quote within a field without quotes, in line 2")]
    [InlineData("a,b\0\n", "a row has a field that is not UTF-8 text, which ends in line 2")]
    public void A_mistake_costs_its_row_alone(string wrong, string why)
    {
        var records = Read("login,password\n" + wrong + "bob,x\n");
        Assert.Equal((2, why), (records[0].Line, Assert.IsType<ImportRecord.Mistake>(records[0]).Why));
        Assert.Equal(["bob"], Assert.IsType<ImportRecord.Entry>(records[1]).All("login"));
    }

    [Fact]
    public void A_quote_that_is_never_closed_is_named_by_the_line_it_is_in()
    {
        var records = Read("login,password\na,b\nc,\"d\ne,f\n");
        Assert.Equal("a row has a quote, opened in line 3, that is never closed", Assert.IsType<ImportRecord.Mistake>(records[1]).Why);
        Assert.Equal(2, records.Count);
    }

    [Theory]
    [InlineData("", "the file is empty: its first row must name the columns")]
    [InlineData("login;password\n", "there is no column login; the first row has login;password: is it another --delimiter?")]
    [InlineData("login,room\n", "there is no column password; the first row has login, room")]
    [InlineData("login,password,LOGIN\n", "two columns are called login")]
    public void A_first_row_that_does_not_name_what_is_needed_refuses_the_file(string text, string why) =>
        Assert.Equal(why, Assert.IsType<ImportRecord.Refused>(Assert.Single(Read(text))).Why);

    [Fact]
    public void A_CSV_file_in_UTF_16_is_named_as_that() => Assert.Contains(
        "UTF-16", Assert.IsType<ImportRecord.Refused>(Assert.Single(Read(Encoding.Unicode.GetPreamble().Concat("l"u8.ToArray()).ToArray()))).Why,
        StringComparison.Ordinal);

    [Fact]
    public void A_field_of_a_megabyte_costs_its_row_alone()
    {
        var records = Read($"login,password\n{new string('x', 1_000_000)},y\nbob,\"{new string('"', 1_000_000)}\"\ncarol,z\n");
        Assert.Equal("a row has a field of more than 64 KiB, which ends in line 2", Assert.IsType<ImportRecord.Mistake>(records[0]).Why);
        Assert.IsType<ImportRecord.Mistake>(records[1]);
        Assert.Equal(["carol"], Assert.IsType<ImportRecord.Entry>(records[2]).All("login"));
    }

    [Fact]
    public void What_is_written_by_the_rules_is_read_as_it_was() =>
        Gen.OneOfConst("a", "ü", " ", ",", "\"", "\n", "\r\n", "用", "").Array[0, 12].Select(string.Concat)
            .Select(Gen.Bool, (value, quoted) => (value, quoted)).Array[2].Array[0, 8].Sample(rows =>
            {
                var text = "login,password\r\n" + string.Concat(rows.Select(row => string.Join(',', row.Select(Field)) + "\r\n"));
                var read = Read(text).Cast<ImportRecord.Entry>().Select(row => (row.All("login")[0], row.All("password")[0]));
                Assert.Equal(rows.Select(row => (row[0].value, row[1].value)), read);
            }, iter: 2_000, threads: 1);

    [Fact]
    public void No_octets_are_an_exception() =>
        Gen.OneOf(Gen.Byte, Gen.OneOfConst("ab,\"\r\n".Select(c => (byte)c).ToArray())).Array[0, 300].Sample(octets =>
            Assert.All(Read([.. "login,password\n"u8, .. octets]), record => Assert.True(record.Line >= 2)), iter: 5_000, threads: 1);

    private static string Field((string Value, bool Quoted) field) => field.Quoted || field.Value.AsSpan().IndexOfAny(",\"\r\n") >= 0
        ? $"\"{field.Value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field.Value;

    private static List<ImportRecord> Read(string text, char delimiter = ',') => Read(Encoding.UTF8.GetBytes(text), delimiter);

    private static List<ImportRecord> Read(byte[] octets, char delimiter = ',')
    {
        using var stream = new MemoryStream(octets);
        return [.. CsvReader.Read(stream, delimiter, ["login", "password"], ["login", "password"])];
    }
}

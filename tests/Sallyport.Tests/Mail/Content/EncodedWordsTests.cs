using System.Diagnostics;
using CsCheck;
using Sallyport.Mail.Content;
using Xunit;

namespace Sallyport.Tests.Mail.Content;

public sealed class EncodedWordsTests
{
    [Theory]
    [InlineData("Jane Doe", "Jane Doe")]
    [InlineData("", "")]
    [InlineData("=?UTF-8?Q?J=C3=BCrgen_M?=", "Jürgen M")]
    [InlineData("=?utf-8*de?b?SsO8cmdlbg==?=", "Jürgen")]
    [InlineData("=?utf-8?b?SsO8cmdlbg?=", "Jürgen")]
    [InlineData("=?utf-8?q?J=C3?= \t=?utf-8?q?=BCrgen?= M", "Jürgen M")]
    [InlineData("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c")]
    [InlineData("x=?utf-8?q?=3Ckim@acme.test=3E?=y", "x<kim@acme.test>y")]
    [InlineData("=?iso-8859-1?q?J=FCrgen?=", "J\uFFFDrgen")]
    [InlineData("=?windows-1252?q?=93a=94?=", "\uFFFDa\uFFFD")]
    [InlineData("=?iso-2022-jp?b?GyRCOzNFRBsoQg==?=", "$B;3ED(B")]
    [InlineData("=?utf-8?q?no end", "=?utf-8?q?no end")]
    [InlineData("=?utf-8?x?abc?=", "=?utf-8?x?abc?=")]
    [InlineData("=?utf-8?q?a=zz=4?=", "a=zz=4")]
    [InlineData("a =? b ?= c", "a =? b ?= c")]
    public void Words_are_decoded_as_the_most_willing_reader_does(string text, string decoded) => Assert.Equal(decoded, EncodedWords.Decode(text));

    [Theory]
    [InlineData("=?utf-7?q?+AEA-?=")]
    [InlineData("=?UTF-16LE?b?QAA=?=")]
    [InlineData("=?utf-32?b?AAAAQA==?=")]
    public void A_charset_that_hides_ASCII_is_not_read(string text) => Assert.Null(EncodedWords.Decode(text));

    [Fact]
    public void Nothing_makes_it_fail_and_text_without_words_stays() => Gen.OneOfConst(
        "=?", "?=", "utf-8", "?q?", "?b?", "=41", "QUI=", " ", "\t", "a", "ü", "=", "?", "_").Array[0, 30].Select(string.Concat).Sample(text =>
    {
        var decoded = EncodedWords.Decode(text);
        Assert.NotNull(decoded);
        if (!text.Contains("=?", StringComparison.Ordinal))
        {
            Assert.Equal(text, decoded);
        }
    }, iter: 20_000, threads: 1);

    [Theory]
    [InlineData("=?a?q?x")]
    [InlineData("=?")]
    [InlineData("?=")]
    [InlineData("=?a?z?x?=")]
    [InlineData("=?a?q?x?= ")]
    public void Time_grows_with_the_text_and_no_faster(string piece)
    {
        var began = Stopwatch.GetTimestamp();
        EncodedWords.Decode(string.Concat(Enumerable.Repeat(piece, 1_000_000 / piece.Length)));
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }
}

using Sallyport.Server.Identity.Directories.Hashes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Hashes;

public sealed class PasswordHashTests
{
    /// <summary>Published by John the Ripper, hashcat and IBM (swg21255244).</summary>
    public static TheoryData<string, string> Published => new()
    {
        { "(06E0A50B579AD2CD5FFDC48564627EE7)", "secret" },
        { "(355E98E7C7B59BD810ED845AD0FD2FC4)", "password" },
        { "CD2D90E8E00D8A2A63A81F531EA8A9A3", "lotus" },
        { "69D90B46B1AC0912E5CCF858094BBBFC", "dirtydog" },
        { "3dd2e1e5ac03e230243d58b8c5ada076", "hashcat" },
        { "(GVMroLzc50YK/Yd+L8KH)", "" },
        { "(GqnUDNNGNUz5HRoelmLU)", "x" },
        { "(GNBpcGJRYpBe9orUOpmZ)", "dupaaa123" },
        { "(G0xjUQzdKxvHpUYqo5hU)", "koziolekmatolek" },
        { "(G+dfECo845XxUw+nFVYD)", "szesnascieznakow" },
        { "(GowT5I2hVHZpRWpvGmux)", "terazjakiesdwadziesciacos" },
        { "(Gq2bAtpguiTSSycy6dhu)", "trzydziescidwamozesieudaojnieuda" },
        { "(G82TtgNcqcHGkpEo7wQp)", "looongrandominputdataforfunbutnotonlyoi!" },
        { "(GDJ0nDZI8l8RJzlRbemg)", "hashcat" },
        { "(HsjFebq0Kh9kH7aAZYc7kY30mC30mC3KmC30mCluagXrvWKj1)", "hashcat" },
        { "(HosOQowHtnaYQqFo/XlScup0mC30mC3KmC30mCeACAxpjQN2u)", "pleaseletmein" },
        { "(HC34tD3KtDp4oCZWmCJ4qC30mC30mC3KmC30mCcA5ovrMLH9M)", "hashcat" },
    };

    /// <summary>Derived for the edges of a block: salt 01 02 03 04 05 and 00…0f, 5000 rounds.</summary>
    public static TheoryData<int, string, string, string> Edges => new()
    {
        { 0, "7AE2A21D8793650044AE40277EAFAA2E", "(G0G8320Lhd39ReOTQ1gJ)", "(H00421mG51WS82GeB30qE3p0mC30mC3KmC30mChshNqkXWGM0)" },
        { 15, "CFBE006DC7C9C87278C0A1D90ED50EC7", "(G0G8320MRMhlzGlkNoPQ)", "(H00421mG51WS82GeB30qE3p0mC30mC3KmC30mChTkntfX0Fxn)" },
        { 16, "88ACA2437DE42ECCA83768CB1318EF3C", "(G0G8320LRSeaa2Fi3gr+)", "(H00421mG51WS82GeB30qE3p0mC30mC3KmC30mCYzpU1BDXzEH)" },
        { 17, "6C44D42959CEDE0D397733781AA4C286", "(G0G8320Mc+sm6Ifq8dvj)", "(H00421mG51WS82GeB30qE3p0mC30mC3KmC30mCX1DZxN3dK6d)" },
        { 32, "C3B0C04360D96CD26609C81305639164", "(G0G8320LEMni0SmgarEp)", "(H00421mG51WS82GeB30qE3p0mC30mC3KmC30mCd8QDLFxMJhg)" },
        { 64, "B8B62D65F10576C6214A722A80A8F157", "(G0G8320LsmtBgsgXjNNA)", "(H00421mG51WS82GeB30qE3p0mC30mC3KmC30mCjVncNGBVwd0)" },
    };

    /// <summary>Made by OpenSSL, by Python's hashlib, or published with jBCrypt and RFC 7677.</summary>
    public static TheoryData<string, string> Foreign => new()
    {
        { "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!" },
        { "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA", "Hello world!" },
        {
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBF"
                + "dcbYEdFCoEOfaS35inz1",
            "Hello world!"
        },
        {
            "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoY"
                + "N3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1",
            "a very much longer text to encrypt.  This one even stretches over morethan one line."
        },
        { "$5$abc$s41ETmvT/jFDyGN/llCTthPn9Fmsla8CZnCTbc5T4j8", "pässwört" },
        { "{CRYPT}$6$x$oznOqkjAFKGu.2xNYeb1KoRKm/KJBGXlycJYIuGidRwif7dneFQvmqq4SGwXV.ZRoYjuOfKpoAHJ26Ekl3OUt1", "y" },
        { "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U" },
        { "{BLF-CRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*" },
        { "{MD5}CY9rzUYh03PK3k6DJie09g==", "test" },
        { "{SSHA}9DgilxbKtDVpSW86NjCzcnUkuBtzYWx0", "test" },
        {
            "{ssha512}+SfTbmOB/j3pZrXxpmpbW0dohkRr3YEkgsVOh/lLXgeE2U0AFZbOOTzx7Mnao9FbEjkZDx9"
                + "IsjElzPTng0QWrgECc2FsdHNhbHQ=",
            "tést"
        },
        { "{SSHA256}razjz9zCgfj1UNwG8evnNQd81a8F35vUG46kFSOHY0QBAnNhbHRzYWx0", "test" },
        { "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=", "test" },
        { "{PBKDF2-SHA256}10000$AQJzYWx0c2FsdA$mk1iTz3V1Yve17rQA2k1eGk9elMA/xChYC1IVXU9OGA", "secret" },
        { "{PBKDF2}60000$AQJzYWx0c2FsdA$gTOFqV9GxDLbHPbIQEKCZqaDeZ0", "secret" },
        {
            "$pbkdf2-sha512$2000$AQJzYWx0c2FsdA$1s17S7p3iSvFkTutQsZmGb.4UzBcIscBe4nEsA/Xxrb61"
                + "dUnVUwirS.4sLSLkr/GmDfRTZgGPxZ7oXK/6Kciag",
            "secret"
        },
        { "pbkdf2_sha256$20000$Pf7kZjWpRzMs$Vn0yt+ODP+uTYnSKVUHAQvzHdxTrpIT4EapEdT1djrE=", "secret" },
        { "{PBKDF2}$1$saltsalt$5000$9d0487892cf650c51cd61d0b11d60b9c5114b27e", "secret" },
        {
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLm"
                + "tbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
            "pencil"
        },
        {
            "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuL"
                + "mtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
            "pencil"
        },
    };

    [Theory]
    [MemberData(nameof(Published))]
    public void A_published_Domino_hash_knows_its_password_and_no_other(string stored, string password)
    {
        var hash = PasswordHash.Parse(stored)!;
        Assert.True(hash.Matches(password));
        Assert.False(hash.Matches(password + "x"));
        Assert.False(hash.Matches("X" + password));
    }

    [Theory]
    [MemberData(nameof(Edges))]
    public void A_Domino_password_at_the_edge_of_a_block_is_padded_with_a_whole_one(int length, string old, string salted, string strong)
    {
        var password = new string('a', length);
        Assert.All((string[])[old, salted, strong], stored =>
        {
            Assert.True(PasswordHash.Parse(stored)!.Matches(password), stored);
            Assert.False(PasswordHash.Parse(stored)!.Matches(password + "a"), stored);
        });
    }

    [Fact]
    public void A_salt_octet_that_wraps_is_put_right() => Assert.True(PasswordHash.Parse("(G0G830GL6xg3ZoaIGr0y)")!.Matches("x"));

    [Theory]
    [MemberData(nameof(Foreign))]
    public void A_hash_of_another_system_knows_its_password_and_no_other(string stored, string password)
    {
        var hash = PasswordHash.Parse(stored);
        Assert.NotNull(hash);
        Assert.True(hash.Matches(password), hash.Form);
        Assert.False(hash.Matches(password + "x"));
        Assert.False(hash.Matches(""));
    }

    [Theory]
    [InlineData("secret")]
    [InlineData("")]
    [InlineData("()")]
    [InlineData("(G)")]
    [InlineData("(GqnUDNNGNUz5HRoelm!U)")]
    [InlineData("(GqnUDNNGNUz5HRoelmLUx)")]
    [InlineData("(H00421mG51WS82GeB30qE3zzzzzzzzzzzzzzzzhshNqkXWGM0)")]
    [InlineData("$1$salt$qJH7.N4xYta3aEG/dfqo/0")]
    [InlineData("$5$rounds=10$s$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8")]
    [InlineData("$5$rounds=99999999$s$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8")]
    [InlineData("$6$saltstring$short")]
    [InlineData("$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("{SSHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=")]
    [InlineData("{SSHA}not base64")]
    [InlineData("{MD5}CY9rzUYh03PK3k6DJie0")]
    [InlineData("{PBKDF2-SHA256}0$c2FsdA$c2FsdHNhbHQ")]
    [InlineData("{PBKDF2-SHA256}99999999$c2FsdA$c2FsdHNhbHQ")]
    [InlineData("pbkdf2_sha256$20000$salt")]
    [InlineData("SCRAM-SHA-256$4096:W22Z$short:short")]
    public void What_is_no_hash_we_know_is_none(string text) => Assert.Null(PasswordHash.Parse(text));

    [Fact]
    public void A_hash_is_never_printed() => Assert.Equal("Domino R5", PasswordHash.Parse("06E0A50B579AD2CD5FFDC48564627EE7")!.ToString());
}

using CsCheck;
using Sallyport.Server.Identity.Directories.Ldap;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Ldap;

/// <summary>Distinguished names and filters, escaped and compared.</summary>
public sealed class LdapNameTests
{
    private const string JaneSales = "CN=Jane Doe,OU=Sales,O=Acme";

    [Theory]
    [InlineData("jane", "jane")]
    [InlineData("*", @"\2a")]
    [InlineData("*)(uid=*", @"\2a\29\28uid=\2a")]
    [InlineData(@"a\b", @"a\5cb")]
    [InlineData("a\0b", @"a\00b")]
    [InlineData("jörg müller", "jörg müller")]
    public void A_value_in_a_filter_cannot_end_it_nor_match_more_than_itself(string value, string escaped)
    {
        Assert.Equal(escaped, LdapFilter.Escape(value));
        Assert.Equal($"(&(objectClass=person)(uid={escaped}))", LdapFilter.Fill("(&(objectClass=person)(uid={login}))", ("login", value)));
    }

    [Fact]
    public void No_login_at_all_brings_a_parenthesis_or_a_star_into_a_filter() =>
        Gen.String.Sample(value =>
        {
            var escaped = LdapFilter.Escape(value);
            Assert.True(escaped.IndexOfAny(['(', ')', '*', '\0']) < 0);
            Assert.Equal(value.Count(c => c == '\\' || c is '(' or ')' or '*' || c < ' ' || c == '\x7f'), escaped.Count(c => c == '\\'));
        });

    [Fact]
    public void What_is_filled_in_is_not_filled_in_again() =>
        Assert.Equal("(|(member={login})(uid=x))", LdapFilter.Fill("(|(member={dn})(uid={login}))", ("dn", "{login}"), ("login", "x")));

    [Theory]
    [InlineData("CN=Jane Doe,OU=Sales,O=Acme", "CN:Jane Doe|OU:Sales|O:Acme")]
    [InlineData("cn = Jane Doe , o= Acme", "cn:Jane Doe|o:Acme")]
    [InlineData(@"CN=Doe\, Jane,O=Acme\+Co", "CN:Doe, Jane|O:Acme+Co")]
    [InlineData(@"CN=J\C3\A4ne,O=Acme", "CN:Jäne|O:Acme")]
    [InlineData(@"CN=ends in a blank\ ,O=Acme", "CN:ends in a blank |O:Acme")]
    [InlineData("", "")]
    public void A_distinguished_name_comes_apart(string dn, string parts) =>
        Assert.Equal(parts, string.Join('|', DistinguishedName.Parse(dn)!.Value.Select(part => $"{part.Key}:{part.Value}")));

    [Theory]
    [InlineData("Jane Doe")]
    [InlineData("CN=Jane,")]
    [InlineData("CN=Jane,Acme")]
    [InlineData("=x")]
    [InlineData(@"CN=Jane\")]
    public void What_is_no_distinguished_name_is_none(string text) => Assert.Null(DistinguishedName.Parse(text));

    [Fact]
    public void Domino_shows_a_name_with_slashes() =>
        Assert.Equal("CN=Jane Doe/OU=Sales/O=Acme", DistinguishedName.ToDomino("cn=Jane Doe,ou=Sales,o=Acme"));

    [Theory]
    [InlineData("jane doe/sales/acme", true)]
    [InlineData("cn=jane doe/ou=sales/o=acme", true)]
    [InlineData("cn=jane doe,ou=sales,o=acme", true)]
    [InlineData("CN=Jane  Doe, OU=Sales, O=Acme", true)]
    [InlineData("jane doe/acme", false)]
    [InlineData("jane doe/sales/acme/us", false)]
    [InlineData("cn=jane doe/o=sales/o=acme", false)]
    [InlineData("cn=jane doe/sales/acme", false)]
    [InlineData("cn=john doe,ou=sales,o=acme", false)]
    public void A_hierarchical_name_is_one_entry_and_no_namesake(string typed, bool same)
    {
        var name = DominoName.Parse(typed);
        Assert.True(name.IsHierarchical);
        Assert.Equal(same, name.Matches(JaneSales, ["Jane Doe"]));
    }

    [Theory]
    [InlineData("jane@acme.test", "jane@acme.test")]
    [InlineData("jane/x@acme.test", "jane/x@acme.test")]
    [InlineData("jane doe", "jane doe")]
    [InlineData("cn=jane doe", "jane doe")]
    [InlineData("/", "/")]
    [InlineData("jane/", "jane/")]
    [InlineData("doe, jane", "doe, jane")]
    public void A_plain_name_is_searched_for_as_it_is(string typed, string search)
    {
        var name = DominoName.Parse(typed);
        Assert.False(name.IsHierarchical);
        Assert.Equal(search, name.Search);
    }

    [Fact]
    public void An_alias_with_slashes_is_as_good_as_the_name()
    {
        var name = DominoName.Parse("jane miller/sales/acme");
        Assert.True(name.Matches(JaneSales, ["Jane Doe", "Jane Miller/Sales/Acme"]));
        Assert.False(name.Matches(JaneSales, ["Jane Miller/Sales/Elsewhere"]));
    }

    [Fact]
    public void No_text_at_all_makes_a_name_that_throws() =>
        Gen.String.Sample(text =>
        {
            _ = DistinguishedName.ToDomino(text);
            _ = DominoName.Parse(text).Matches(JaneSales, [text]);
        });
}

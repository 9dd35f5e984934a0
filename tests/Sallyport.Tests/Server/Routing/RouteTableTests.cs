using Sallyport.Server.Configuration;
using Sallyport.Server.Routing;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Routing;

public sealed class RouteTableTests
{
    private static readonly RouteTable Table = new(
    [
        Route("inner", "acme.test", ".acme.test"),
        Route("second", "acme.test", "xn--mller-kva.test"),
        Route("below", ".example.com"),
    ]);

    [Theory]
    [InlineData("a@acme.test", 1)]
    [InlineData("a@ACME.Test", 1)]
    [InlineData("a@eu.acme.test", 1)]
    [InlineData("a@a.b.acme.test", 1)]
    [InlineData("a@notacme.test", null)]
    [InlineData("a@m\u00fcller.test", 2)]
    [InlineData("a@xn--mller-kva.test", 2)]
    [InlineData("a@mail.example.com", 3)]
    [InlineData("a@example.com", null)]
    [InlineData("a@[192.0.2.1]", null)]
    public void The_first_route_that_takes_the_domain_decides(string recipient, int? route) =>
        Assert.Equal(route, Table.Find(Box(recipient))?.Number);

    [Theory]
    [InlineData("a@anything.test")]
    [InlineData("a@[192.0.2.1]")]
    public void A_star_takes_all(string recipient) => Assert.NotNull(new RouteTable([Route("all", "*")]).Find(Box(recipient)));

    [Fact]
    public void A_next_hop_shows_itself_as_its_hosts_or_its_Maildir()
    {
        Assert.Equal("inner:25", Table.NextHops[0].ToString());
        var capture = new RouteTable([new RouteOptions { Recipients = ["*"], Capture = "/var/mail/all" }]);
        Assert.Equal("maildir:/var/mail/all", capture.NextHops[0].ToString());
        Assert.Equal("[2001:db8::1]:465", new SmarthostAddress("2001:db8::1", 465, true).ToString());
    }

    [Fact]
    public void A_route_that_is_printed_shows_no_password() =>
        Assert.DoesNotContain("secret", (Route("inner", "acme.test") with { Login = "jane", Password = "secret" }).ToString());

    private static RouteOptions Route(string host, params string[] recipients) =>
        new() { Recipients = [.. recipients], Smarthosts = [new SmarthostAddress(host, 25, false)] };
}

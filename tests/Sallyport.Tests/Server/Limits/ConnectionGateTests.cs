using System.Net;
using Sallyport.Server.Configuration;
using Sallyport.Server.Limits;
using Xunit;

namespace Sallyport.Tests.Server.Limits;

public sealed class ConnectionGateTests
{
    private static readonly LimitOptions Limits = new() { Connections = 4, ConnectionsPerAddress = 2 };
    private readonly ConnectionGate _gate = new();

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
    [InlineData("fe80::1%3", "fe80::")]
    [InlineData("::1", "::")]
    public void A_client_counts_as_its_IPv4_address_or_its_IPv6_network(string client, string network) =>
        Assert.Equal(IPAddress.Parse(network), ConnectionGate.NetworkOf(IPAddress.Parse(client)));

    [Fact]
    public void One_network_has_its_limit_and_the_mapped_form_is_no_way_around_it()
    {
        Assert.Null(Enter("192.0.2.7"));
        Assert.Null(Enter("::ffff:192.0.2.7"));
        Assert.Equal("2 connections are open from 192.0.2.7, the limit for one network", Enter("192.0.2.7"));
        Assert.Null(Enter("192.0.2.8"));
        _gate.Leave(IPAddress.Parse("::ffff:192.0.2.7"));
        Assert.Null(Enter("192.0.2.7"));
    }

    [Fact]
    public void A_64_is_one_network_and_the_next_is_another()
    {
        Assert.Null(Enter("2001:db8::1"));
        Assert.Null(Enter("2001:db8::ffff:1"));
        Assert.NotNull(Enter("2001:db8::2"));
        Assert.Null(Enter("2001:db8:0:1::2"));
    }

    [Fact]
    public void All_together_have_a_limit_and_who_leaves_makes_room()
    {
        for (var i = 1; i <= 4; i++)
        {
            Assert.Null(Enter("192.0.2." + i));
        }

        Assert.Equal("4 connections are open, the limit in all", Enter("192.0.2.5"));
        Assert.Equal(4, _gate.Open);
        _gate.Leave(IPAddress.Parse("192.0.2.1"));
        Assert.Null(Enter("192.0.2.5"));
    }

    private string? Enter(string client) => _gate.TryEnter(IPAddress.Parse(client), Limits);
}

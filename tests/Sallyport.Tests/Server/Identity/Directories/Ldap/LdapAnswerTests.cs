using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Ldap;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Ldap;

/// <summary>What the results of an LDAP server mean for a login.</summary>
public sealed class LdapAnswerTests
{
    private const string Ad = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data ";
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, "", BindResult.PolicyNone, LoginReason.None)]
    [InlineData(0, "", 2, LoginReason.Expired)]
    [InlineData(49, "", BindResult.PolicyNone, LoginReason.WrongPassword)]
    [InlineData(49, "", 1, LoginReason.Disabled)]
    [InlineData(49, "", 0, LoginReason.Expired)]
    [InlineData(49, Ad + "52e, v2580", BindResult.PolicyNone, LoginReason.WrongPassword)]
    [InlineData(49, Ad + "525, v2580", BindResult.PolicyNone, LoginReason.WrongPassword)]
    [InlineData(49, Ad + "533, v2580", BindResult.PolicyNone, LoginReason.Disabled)]
    [InlineData(49, Ad + "775, v2580", BindResult.PolicyNone, LoginReason.Disabled)]
    [InlineData(49, Ad + "532, v2580", BindResult.PolicyNone, LoginReason.Expired)]
    [InlineData(49, Ad + "701, v2580", BindResult.PolicyNone, LoginReason.Expired)]
    [InlineData(49, Ad + "773, v2580", BindResult.PolicyNone, LoginReason.Expired)]
    [InlineData(53, "Account inactivated. Contact system administrator.", BindResult.PolicyNone, LoginReason.Disabled)]
    [InlineData(53, "unauthenticated bind (DN with no password) disallowed", BindResult.PolicyNone, LoginReason.DirectoryUnavailable)]
    [InlineData(13, "confidentiality required", BindResult.PolicyNone, LoginReason.DirectoryUnavailable)]
    [InlineData(51, "", BindResult.PolicyNone, LoginReason.DirectoryUnavailable)]
    [InlineData(52, "", BindResult.PolicyNone, LoginReason.DirectoryUnavailable)]
    [InlineData(10, "", BindResult.PolicyNone, LoginReason.UnknownLogin)]
    [InlineData(48, "", BindResult.PolicyNone, LoginReason.WrongPassword)]
    public void Only_a_server_that_judged_the_password_makes_it_wrong(int code, string text, int policy, LoginReason reason) =>
        Assert.Equal(reason, BindResult.Of(code, text, policy).Reason);

    [Theory]
    [InlineData(51, true)]
    [InlineData(52, true)]
    [InlineData(53, false)]
    [InlineData(49, false)]
    public void A_bind_is_tried_at_the_next_server_only_where_this_one_could_not_answer(int code, bool isServer) =>
        Assert.Equal(isServer, BindResult.Of(code, "", BindResult.PolicyNone).IsServer);

    [Theory]
    [InlineData("userAccountControl", "514", LoginReason.Disabled)]
    [InlineData("nsAccountLock", "TRUE", LoginReason.Disabled)]
    [InlineData("accountExpires", "132223104000000000", LoginReason.Expired)]
    [InlineData("pwdLastSet", "0", LoginReason.Expired)]
    [InlineData("pwdReset", "TRUE", LoginReason.Expired)]
    [InlineData("pwdAccountLockedTime", "000001010000Z", LoginReason.Disabled)]
    [InlineData("msDS-User-Account-Control-Computed", "16", LoginReason.Disabled)]
    [InlineData("msDS-User-Account-Control-Computed", "8388608", LoginReason.Expired)]
    public void An_entry_tells_of_itself_that_it_may_not_log_in(string attribute, string value, LoginReason reason) =>
        Assert.Equal(reason, AccountState.Of(Entry((attribute, value)), Now)?.Reason);

    [Fact]
    public void An_account_in_order_has_nothing_against_it() => Assert.Null(AccountState.Of(
        Entry(("userAccountControl", "512"), ("accountExpires", "9223372036854775807"), ("pwdLastSet", "133000000000000000")), Now));

    [Fact]
    public void A_lock_that_has_passed_does_not_outlive_the_right_password() =>
        Assert.Null(AccountState.OfGood(Entry(("pwdAccountLockedTime", "20260101000000Z")), Now));

    [Fact]
    public void A_server_that_failed_is_left_alone_longer_each_time_and_then_tried_by_one()
    {
        var time = new FakeTimeProvider(Now);
        var (a, b) = (new LdapServerAddress("a.test", 636, true), new LdapServerAddress("b.test", 636, true));
        var notices = new List<string>();
        var servers = new LdapServers([a, b], TimeSpan.FromSeconds(10), time, notices.Add);
        servers.Failed(a, "refused");
        servers.Failed(a, "refused");
        Assert.Equal([b], servers.Order());
        time.Advance(LdapServers.BackOffFirst);
        Assert.Equal([a, b], servers.Order());
        Assert.Equal([b], servers.Order());
        servers.Failed(a, "refused");
        time.Advance(LdapServers.BackOffFirst);
        Assert.Equal([b], servers.Order());
        time.Advance(LdapServers.BackOffFirst);
        Assert.Equal([a, b], servers.Order());
        servers.Worked(a);
        Assert.Equal([a, b], servers.Order());
        Assert.Equal(["ldaps://a.test:636 is down: refused", "ldaps://a.test:636 answers again"], notices);
    }

    [Fact]
    public async Task An_empty_password_is_wrong_before_any_server_is_asked()
    {
        using var directory = new LdapDirectory(
            new LdapDirectoryOptions("x") { Servers = [new LdapServerAddress("192.0.2.1", 636, true)], UserFilter = "(uid={login})" },
            new FakeTimeProvider(Now), static _ => { });
        Assert.Equal(
            LoginReason.WrongPassword, (await directory.CheckPasswordAsync("jane", "", TestContext.Current.CancellationToken)).Reason);
    }

    private static LdapEntry Entry(params (string Name, string Value)[] attributes) => new("cn=x", attributes.ToDictionary(
        attribute => attribute.Name, attribute => ImmutableArray.Create(attribute.Value), StringComparer.OrdinalIgnoreCase));
}

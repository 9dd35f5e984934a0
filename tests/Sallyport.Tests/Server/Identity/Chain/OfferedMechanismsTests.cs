using System.Collections.Immutable;
using Sallyport.Server.Identity.Chain;
using Sallyport.Server.Identity.Contracts;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Chain;

public sealed class OfferedMechanismsTests
{
    [Theory]
    [InlineData("verifier", "", "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN")]
    [InlineData("verifier exchange", "", "SCRAM-SHA-256 PLAIN LOGIN")]
    [InlineData("exchange", "", "SCRAM-SHA-256 PLAIN LOGIN")]
    [InlineData("verifier silent", "", "PLAIN LOGIN")]
    [InlineData("verifier exchange password", "", "PLAIN LOGIN")]
    [InlineData("verifier password", "SCRAM-SHA-256", "SCRAM-SHA-256")]
    [InlineData("exchange password", "SCRAM-SHA-256-PLUS SCRAM-SHA-256", "SCRAM-SHA-256")]
    [InlineData("password", "SCRAM-SHA-256 PLAIN", "PLAIN")]
    [InlineData("", "", "")]
    public void A_mechanism_is_offered_where_it_can_succeed(string directories, string configured, string offered)
    {
        IDirectory[] asked = [.. Words(directories).Select<string, IDirectory>(kind => kind switch
        {
            "verifier" => new Verifiers(),
            "exchange" => new Exchanges(true),
            "silent" => new Exchanges(false),
            _ => new Passwords(),
        })];
        Assert.Equal(Words(offered), OfferedMechanisms.Of(asked, [.. Words(configured)]));
    }

    private static ImmutableArray<string> Words(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries)];

    private class Passwords : IPasswordDirectory
    {
        public string Name => "x";

        public ValueTask<LoginVerdict> CheckPasswordAsync(string login, string password, CancellationToken cancel) => FindAsync(login, cancel);

        public ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel) => new(new LoginVerdict.Denied(LoginReason.UnknownLogin));
    }

    private sealed class Verifiers : Passwords, IVerifierDirectory
    {
        public ValueTask<LoginVerdict> FindVerifierAsync(string login, CancellationToken cancel) => FindAsync(login, cancel);
    }

    private sealed class Exchanges(bool leads) : Passwords, IExchangeDirectory
    {
        public bool Leads(string mechanism) => leads;

        public ValueTask<LoginVerdict> BeginExchangeAsync(LoginAttempt attempt, ReadOnlyMemory<byte> first, CancellationToken cancel) =>
            FindAsync(attempt.Login, cancel);
    }
}

using System.Collections.Immutable;
using Sallyport.Mail.Sasl;

namespace Sallyport.Server.Identity;

/// <summary>
/// Which SASL mechanisms the configured directories can judge. Clients take the strongest on offer and many never try another, so
/// SCRAM is offered only where every directory that takes passwords can do it, by a verifier or by its server's own exchange; -PLUS
/// only where all have verifiers, since a server behind us does not see the channel to bind to. [submission] mechanisms says otherwise.
/// </summary>
public static class OfferedMechanisms
{
    /// <param name="configured">The only ones to offer; empty for all that make sense.</param>
    /// <returns>Names, strongest first.</returns>
    public static ImmutableArray<string> Of(IReadOnlyCollection<IDirectory> directories, ImmutableArray<string> configured)
    {
        var passwords = directories.OfType<IPasswordDirectory>().ToList();
        var offered = ImmutableArray.CreateBuilder<string>();
        if (Suits(static directory => directory is IVerifierDirectory))
        {
            offered.Add(SaslServer.ScramPlus);
        }

        if (Suits(static directory => directory is IVerifierDirectory || (directory is IExchangeDirectory other && other.Leads(SaslServer.Scram))))
        {
            offered.Add(SaslServer.Scram);
        }

        if (passwords.Count > 0)
        {
            offered.AddRange(SaslServer.Plain, SaslServer.Login);
        }

        return configured.IsEmpty ? offered.ToImmutable() : [.. offered.Where(name => configured.Contains(name))];

        bool Suits(Predicate<IPasswordDirectory> can) =>
            configured.IsEmpty ? passwords.Count > 0 && passwords.TrueForAll(can) : passwords.Exists(can);
    }
}

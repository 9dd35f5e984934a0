using System.Collections.Immutable;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Chain;

/// <summary>
/// Which SASL mechanisms the configured directories can judge. Clients take the strongest on offer and many never try another, so
/// SCRAM is offered only where every directory that takes passwords can do it, by a verifier or by its server's own exchange; -PLUS
/// only where all have verifiers, since a server behind us does not see the channel to bind to. [submission] mechanisms says otherwise.
/// Tokens and certificates have mechanisms of their own; EXTERNAL is shown only to a client whose certificate was verified.
/// </summary>
public static class OfferedMechanisms
{
    /// <param name="configured">The only ones to offer; empty for all that make sense.</param>
    /// <returns>Names, strongest first.</returns>
    public static ImmutableArray<string> Of(IReadOnlyCollection<IDirectory> directories, ImmutableArray<string> configured)
    {
        var passwords = directories.OfType<IPasswordDirectory>().ToList();
        var can = new HashSet<string>(StringComparer.Ordinal);
        can.UnionWith(Suits(static one => one is IVerifierDirectory) ? [SaslServer.ScramPlus] : []);
        can.UnionWith(Suits(static one => one is IVerifierDirectory || (one is IExchangeDirectory other && other.Leads(SaslServer.Scram)))
            ? [SaslServer.Scram] : []);
        can.UnionWith(passwords.Count > 0 ? [SaslServer.Plain, SaslServer.Login] : []);
        can.UnionWith(directories.Any(static directory => directory is ITokenDirectory) ? SaslServer.ByToken : []);
        can.UnionWith(directories.Any(static directory => directory is ICertificateDirectory) ? [SaslServer.External] : []);
        return [.. SaslServer.All.Where(name => can.Contains(name) && (configured.IsEmpty || configured.Contains(name)))];

        bool Suits(Predicate<IPasswordDirectory> able) =>
            configured.IsEmpty ? passwords.Count > 0 && passwords.TrueForAll(able) : passwords.Exists(able);
    }
}

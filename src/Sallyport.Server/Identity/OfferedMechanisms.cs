using System.Collections.Immutable;
using Sallyport.Mail.Sasl;

namespace Sallyport.Server.Identity;

/// <summary>
/// Which SASL mechanisms the configured directories can judge. Clients take the strongest on offer and many never try another, so
/// SCRAM is offered only where every directory that takes passwords can do it; [submission] mechanisms says otherwise. Tokens and
/// certificates have mechanisms of their own; EXTERNAL is shown only to a client whose certificate was verified.
/// </summary>
public static class OfferedMechanisms
{
    /// <param name="configured">The only ones to offer; empty for all that make sense.</param>
    /// <returns>Names, strongest first.</returns>
    public static ImmutableArray<string> Of(IReadOnlyCollection<IDirectory> directories, ImmutableArray<string> configured)
    {
        var passwords = directories.OfType<IPasswordDirectory>().ToList();
        var scram = configured.IsEmpty
            ? passwords.Count > 0 && passwords.TrueForAll(static directory => directory is IVerifierDirectory)
            : passwords.Exists(static directory => directory is IVerifierDirectory);
        var can = new HashSet<string>(StringComparer.Ordinal);
        can.UnionWith(scram ? [SaslServer.ScramPlus, SaslServer.Scram] : []);
        can.UnionWith(passwords.Count > 0 ? [SaslServer.Plain, SaslServer.Login] : []);
        can.UnionWith(directories.Any(static directory => directory is ITokenDirectory) ? SaslServer.ByToken : []);
        can.UnionWith(directories.Any(static directory => directory is ICertificateDirectory) ? [SaslServer.External] : []);
        return [.. SaslServer.All.Where(name => can.Contains(name) && (configured.IsEmpty || configured.Contains(name)))];
    }
}

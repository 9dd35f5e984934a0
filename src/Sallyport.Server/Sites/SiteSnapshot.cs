using System.Collections.Immutable;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Certificates;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.Chain;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Routing;

namespace Sallyport.Server.Sites;

/// <summary>
/// All that a configuration means for one site, built completely before anybody sees it, and replaced as a whole. A session keeps the
/// one it began with. A site is a tenant: its own domains, directories, routes and certificate.
/// </summary>
/// <param name="Certificates">Empty without [tls].</param>
public sealed record SiteSnapshot(ServerOptions Options, RouteTable Routes, IdentityService Identity, CertificateSet Certificates)
{
    /// <summary>SASL mechanisms to offer now: a server that leads exchanges may be heard later than we start.</summary>
    public ImmutableArray<string> Mechanisms => OfferedMechanisms.Of(Identity.Directories, Options.Submission.Mechanisms);

    /// <summary>What a client with a wrong token is told; null where no tokens are taken.</summary>
    public TokenService? TokenService { get; } = Identity.Directories.OfType<ITokenDirectory>().FirstOrDefault()?.Service;
}

using Sallyport.Server.Identity.Passwords;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Identity.Directories;

/// <summary>What directories are made of.</summary>
public sealed record DirectoryServices(IStore Store, PasswordHasher Hasher, DecoyVerifiers Decoys, IMailLog Log, TimeProvider Time);

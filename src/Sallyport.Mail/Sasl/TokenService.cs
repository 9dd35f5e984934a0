namespace Sallyport.Mail.Sasl;

/// <summary>Where a client gets a token this server takes: told to one whose token was refused (RFC 7628 §3.2.2).</summary>
/// <param name="Scope">Scopes to ask for, separated by blanks; empty when any will do.</param>
/// <param name="OpenIdConfiguration">Address of the issuer's discovery document.</param>
public sealed record TokenService(string Scope, string OpenIdConfiguration);

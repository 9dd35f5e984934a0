using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Tests.Fakes;

/// <summary>Tokens and certificates that mean what they were told to.</summary>
internal sealed class ScriptedAssertions : ITokenDirectory, ICertificateDirectory
{
    public string Name => "voucher";

    public string? LookUpIn { get; init; }

    public TokenService Service { get; } = new("smtp", "https://id.acme.test/.well-known/openid-configuration");

    /// <summary>The login a token is for, or "unavailable"; all others are refused.</summary>
    public Dictionary<string, string> Tokens { get; init; } = [];

    /// <summary>Tokens it was asked about.</summary>
    public int Judged { get; private set; }

    public ValueTask<TokenEvaluation> EvaluateTokenAsync(string token, string? login, CancellationToken cancel)
    {
        Judged++;
        return new(new TokenEvaluation(
            Tokens.GetValueOrDefault(token) switch
            {
                null => new LoginVerdict.Denied(LoginReason.TokenInvalid, "it is wrong"),
                "unavailable" => new LoginVerdict.Unavailable("the issuer is away"),
                var holder => Answer(holder, login),
            }, []));
    }

    public ValueTask<LoginVerdict> CheckCertificateAsync(ClientCertificate certificate, string? login, CancellationToken cancel) =>
        new(Answer(certificate.CommonName, login));

    public ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel) => new(new LoginVerdict.Denied(LoginReason.CannotLookUp));

    private LoginVerdict Answer(string holder, string? login) => login is null || login == holder
        ? new LoginVerdict.Granted(new DirectoryEntry(holder, Name, [holder], []))
        : new LoginVerdict.Denied(LoginReason.CertificateOwner, $"it is {holder}'s");
}

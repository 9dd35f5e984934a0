using Sallyport.Mail.Sasl;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Tests.Fakes;

/// <summary>A directory that answers what it was told to, at once.</summary>
internal sealed class ScriptedDirectory : IPasswordDirectory, IVerifierDirectory
{
    public string Name => "local";

    /// <summary>"ok", "wrong", "disabled", "unavailable" or "unknown" for a login; "wrong" for all others.</summary>
    public Dictionary<string, string> Answers { get; init; } = [];

    public Dictionary<string, ScramVerifier> Verifiers { get; init; } = [];

    public int LookUps { get; private set; }

    public ValueTask<LoginVerdict> CheckPasswordAsync(string login, string password, CancellationToken cancel) =>
        ValueTask.FromResult(Answer(login, Answers.GetValueOrDefault(login, "wrong")));

    public ValueTask<LoginVerdict> FindVerifierAsync(string login, CancellationToken cancel) => ValueTask.FromResult<LoginVerdict>(
        Verifiers.TryGetValue(login, out var verifier) ? new LoginVerdict.Verifier(verifier)
        : Answers.GetValueOrDefault(login) == "unavailable" ? new LoginVerdict.Unavailable("the directory is away")
        : new LoginVerdict.Denied(LoginReason.UnknownLogin));

    public ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel)
    {
        LookUps++;
        return ValueTask.FromResult(Answer(login, Answers.GetValueOrDefault(login, "ok")));
    }

    private LoginVerdict Answer(string login, string word) => word switch
    {
        "ok" => new LoginVerdict.Granted(new DirectoryEntry(login, Name, [login.ToLowerInvariant()], [])),
        "disabled" => new LoginVerdict.Denied(LoginReason.Disabled),
        "unavailable" => new LoginVerdict.Unavailable("the directory is away"),
        "unknown" => new LoginVerdict.Denied(LoginReason.UnknownLogin),
        _ => new LoginVerdict.Denied(LoginReason.WrongPassword),
    };
}

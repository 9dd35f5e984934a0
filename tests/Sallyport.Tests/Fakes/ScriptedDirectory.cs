using Sallyport.Mail.Sasl;
using Sallyport.Server.Identity;

namespace Sallyport.Tests.Fakes;

/// <summary>A directory that answers what it was told to, at once.</summary>
internal sealed class ScriptedDirectory : IPasswordDirectory, IVerifierDirectory
{
    public string Name => "local";

    /// <summary>"ok", "wrong", "disabled", "unavailable" or "unknown" for a login; "wrong" for all others.</summary>
    public Dictionary<string, string> Answers { get; init; } = [];

    public Dictionary<string, ScramVerifier> Verifiers { get; init; } = [];

    public int LookUps { get; private set; }

    public ValueTask<DirectoryAnswer> CheckPasswordAsync(string login, string password, CancellationToken cancel) =>
        ValueTask.FromResult(Answer(login, Answers.GetValueOrDefault(login, "wrong")));

    public ValueTask<DirectoryAnswer> FindVerifierAsync(string login, CancellationToken cancel) => ValueTask.FromResult<DirectoryAnswer>(
        Verifiers.TryGetValue(login, out var verifier) ? new DirectoryAnswer.Verifier(verifier)
        : Answers.GetValueOrDefault(login) == "unavailable" ? new DirectoryAnswer.Unavailable("the directory is away")
        : new DirectoryAnswer.Unknown());

    public ValueTask<DirectoryAnswer> FindAsync(string login, CancellationToken cancel)
    {
        LookUps++;
        return ValueTask.FromResult(Answer(login, Answers.GetValueOrDefault(login, "ok")));
    }

    private DirectoryAnswer Answer(string login, string word) => word switch
    {
        "ok" => new DirectoryAnswer.Granted(new DirectoryEntry(login, Name, [login.ToLowerInvariant()], [])),
        "disabled" => new DirectoryAnswer.Disabled(),
        "unavailable" => new DirectoryAnswer.Unavailable("the directory is away"),
        "unknown" => new DirectoryAnswer.Unknown(),
        _ => new DirectoryAnswer.WrongPassword(),
    };
}

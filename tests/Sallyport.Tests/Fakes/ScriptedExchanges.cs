using Sallyport.Server.Identity.Contracts;
using Xunit;

namespace Sallyport.Tests.Fakes;

/// <summary>
/// A directory whose server leads SCRAM by a script: "message|challenge" for each message of the client, "message:ok" and the like for how
/// it ends; messages and challenges in base64, as on the wire.
/// </summary>
internal sealed class ScriptedExchanges : IExchangeDirectory
{
    public string Name => "other";

    public Dictionary<string, string[]> Scripts { get; init; } = [];

    /// <summary>Exchanges begun and not given back.</summary>
    public int Open { get; private set; }

    public bool Leads(string mechanism) => true;

    public ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel) => new(new LoginVerdict.Denied(LoginReason.CannotLookUp));

    public ValueTask<LoginVerdict> BeginExchangeAsync(LoginAttempt attempt, ReadOnlyMemory<byte> first, CancellationToken cancel)
    {
        if (!Scripts.TryGetValue(attempt.Login, out var script))
        {
            return new(new LoginVerdict.Denied(LoginReason.UnknownLogin));
        }

        Open++;
        return new Exchange(this, attempt.Login, new(script)).ContinueAsync(first, cancel);
    }

    private sealed class Exchange(ScriptedExchanges directory, string login, Queue<string> script) : IDirectoryExchange
    {
        public ValueTask<LoginVerdict> ContinueAsync(ReadOnlyMemory<byte> response, CancellationToken cancel)
        {
            var step = script.Dequeue();
            var at = step.IndexOfAny(['|', ':']);
            Assert.Equal(step[..at], Convert.ToBase64String(response.Span));
            LoginVerdict answer = step[(at + 1)..] switch
            {
                var challenge when step[at] == '|' => new LoginVerdict.Challenge(Convert.FromBase64String(challenge), this),
                "ok" => new LoginVerdict.Granted(new DirectoryEntry(login, directory.Name, [login], [])),
                "disabled" => new LoginVerdict.Denied(LoginReason.Disabled),
                "unavailable" => new LoginVerdict.Unavailable("the server that leads is away"),
                _ => new LoginVerdict.Denied(LoginReason.UnknownOrWrong),
            };
            return new(answer);
        }

        public ValueTask DisposeAsync()
        {
            directory.Open--;
            return ValueTask.CompletedTask;
        }
    }
}

using Sallyport.Server.Identity;
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

    public ValueTask<DirectoryAnswer> FindAsync(string login, CancellationToken cancel) => new(new DirectoryAnswer.CannotLookUp());

    public ValueTask<DirectoryAnswer> BeginExchangeAsync(LoginAttempt attempt, ReadOnlyMemory<byte> first, CancellationToken cancel)
    {
        if (!Scripts.TryGetValue(attempt.Login, out var script))
        {
            return new(new DirectoryAnswer.Unknown());
        }

        Open++;
        return new Exchange(this, attempt.Login, new(script)).ContinueAsync(first, cancel);
    }

    private sealed class Exchange(ScriptedExchanges directory, string login, Queue<string> script) : IDirectoryExchange
    {
        public ValueTask<DirectoryAnswer> ContinueAsync(ReadOnlyMemory<byte> response, CancellationToken cancel)
        {
            var step = script.Dequeue();
            var at = step.IndexOfAny(['|', ':']);
            Assert.Equal(step[..at], Convert.ToBase64String(response.Span));
            DirectoryAnswer answer = step[(at + 1)..] switch
            {
                var challenge when step[at] == '|' => new DirectoryAnswer.Challenge(Convert.FromBase64String(challenge), this),
                "ok" => new DirectoryAnswer.Granted(new DirectoryEntry(login, directory.Name, [login], [])),
                "disabled" => new DirectoryAnswer.Disabled(),
                "unavailable" => new DirectoryAnswer.Unavailable("the server that leads is away"),
                _ => new DirectoryAnswer.UnknownOrWrong(),
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

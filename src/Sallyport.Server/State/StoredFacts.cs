using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.State;

/// <summary>Facts as what they mean.</summary>
internal static class StoredFacts
{
    /// <summary>
    /// Hands over every fact of a kind. One that cannot be read is passed over and named in the log: it stops neither the others nor
    /// the server.
    /// </summary>
    /// <param name="damaged">Told of one passed over; null where nothing is to be done without it.</param>
    public static async ValueTask ReadAsync<T>(
        IFacts facts, FactKind kind, JsonTypeInfo<T> type, IMailLog log, Action<Fact, T> take, CancellationToken cancel,
        Action<Fact>? damaged = null)
    {
        foreach (var fact in await facts.ListAsync(kind, "", cancel))
        {
            Take(
                fact, one => take(one, JsonSerializer.Deserialize(one.Value.Span, type) ?? throw new JsonException("nothing is there")), log,
                damaged);
        }
    }

    /// <summary>Whatever a damaged value makes go wrong goes wrong here.</summary>
    public static void Take(Fact fact, Action<Fact> take, IMailLog log, Action<Fact>? damaged = null)
    {
        try
        {
            take(fact);
        }
        catch (Exception exception)
        {
            log.Write(new MailEvent.Problem(
                $"the stored {fact.Kind} \"{fact.Key.Replace('\n', ' ')}\" is damaged and passed over: {exception.Message}"));
            damaged?.Invoke(fact);
        }
    }
}

using System.Net;
using System.Text.Json.Serialization;
using Sallyport.Server.Limits;

namespace Sallyport.Server.Guard;

/// <summary>What the guard says before a directory is asked.</summary>
public abstract record GuardVerdict
{
    private GuardVerdict()
    {
    }

    /// <summary>Ask; and tell the guard what came of it.</summary>
    public sealed record Ask : GuardVerdict;

    /// <summary>535 without asking: this very secret was refused before.</summary>
    public sealed record SameWrongSecret(int Times, TimeSpan Delay) : GuardVerdict;

    /// <summary>454 without asking.</summary>
    public sealed record NotNow(DateTimeOffset Until, string Why) : GuardVerdict;
}

/// <summary>What came of an attempt to log in.</summary>
public enum LoginOutcome
{
    Right,

    /// <summary>A secret was judged and is wrong, or the login is disabled.</summary>
    Wrong,

    /// <summary>Its directory is away, and it is not what was right last: it counts, and may be right when the directory is back.</summary>
    WrongForNow,

    /// <summary>No directory knows the login.</summary>
    UnknownLogin,

    /// <summary>Nobody judged it.</summary>
    Unavailable,
}

/// <summary>A network that may not log in for a while, except where it is known.</summary>
/// <param name="Count">Bans of this network in a row; each is longer than the last.</param>
/// <param name="By">guard or command.</param>
public sealed record Ban(string Network, DateTimeOffset Since, DateTimeOffset Until, int Count, string By, string Why);

/// <summary>A device that offers the same wrong secret again and again.</summary>
/// <param name="Times">How often, the first not counted.</param>
public sealed record StaleSecret(string Login, string Client, DateTimeOffset First, DateTimeOffset Last, int Times);

/// <summary>A network a login has succeeded from.</summary>
public sealed record KnownNetwork(DateTimeOffset First, DateTimeOffset Last);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Ban))]
[JsonSerializable(typeof(KnownNetwork))]
internal sealed partial class GuardJson : JsonSerializerContext;

/// <summary>A login and the network it comes from, as the guard compares them.</summary>
public readonly record struct LoginOrigin(string Login, IPAddress Network)
{
    /// <summary>As it is stored.</summary>
    public string Key => $"{Login}\n{Network}";

    /// <summary>Null for what is no <see cref="Key"/>.</summary>
    public static LoginOrigin? Parse(string key)
    {
        var at = key.LastIndexOf('\n');
        return at > 0 && IPAddress.TryParse(key.AsSpan(at + 1), out var network) ? new LoginOrigin(key[..at], network) : null;
    }

    public static LoginOrigin Of(string login, IPAddress client) => new(OneName(login), ConnectionGate.NetworkOf(client));

    /// <summary>To a directory many blanks are as good as one (RFC 4518 §2.6.1): to a guesser they must not be another login each.</summary>
    public static string OneName(string login) => login.Contains("  ", StringComparison.Ordinal)
        ? string.Join(' ', login.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        : login;
}

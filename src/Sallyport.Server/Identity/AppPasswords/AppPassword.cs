using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.Json.Serialization;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.AppPasswords;

/// <summary>A password of one device.</summary>
/// <param name="Login">Prepared.</param>
/// <param name="Id">Unique.</param>
/// <param name="Label">What the device is called.</param>
public sealed record AppPassword(string Login, string Id, string Label, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt)
{
    /// <summary>Where it may come from; anywhere when empty.</summary>
    public ImmutableArray<IPNetwork> Networks { get; init; } = [];

    /// <summary>What of the login's it may send as; all of it when empty.</summary>
    public ImmutableArray<SenderPattern> Senders { get; init; } = [];

    /// <summary>The secret, digested with the store's key.</summary>
    public ReadOnlyMemory<byte> Digest { get; init; }

    /// <summary>For SCRAM: verifiers of the secret as it is shown and without dashes, with the salt of the login's other verifiers.</summary>
    public ImmutableArray<ScramVerifier> Verifiers { get; init; } = [];

    /// <summary>In quotes, for logs and explanations.</summary>
    public string Shown => $"app password \"{Label}\" ({Id})";

    public bool HasExpired(DateTimeOffset now) => ExpiresAt <= now;

    /// <summary>Why it does not do from there and now; null when it does.</summary>
    public LoginVerdict.Denied? Refusal(IPAddress client, DateTimeOffset now)
    {
        var from = client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client;
        return HasExpired(now)
            ? new(LoginReason.AppPasswordExpired,
                $"{Shown} of {Login} expired on {ExpiresAt!.Value.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}Z")
            { IsKnown = true }
            : Networks.IsEmpty || Networks.Any(network => network.Contains(from))
                ? null
                : new(LoginReason.AppPasswordNetwork, $"{Shown} of {Login} is not for {from}, only for {string.Join(", ", Networks)}")
                { IsKnown = true };
    }

    /// <summary>As a verdict names it.</summary>
    public ProvenAppPassword ToProven() => new(new AppPasswordName(Id, Label), Senders);

    internal StoredAppPassword ToStored() =>
        new(Label, CreatedAt, ExpiresAt, [.. Networks.Select(network => network.ToString())], [.. Senders.Select(sender => sender.ToString())],
            Digest.ToArray())
        {
            Verifiers = [.. Verifiers.Select(one => new StoredVerifier(
                one.Iterations, one.Salt.ToArray(), one.StoredKey.ToArray(), one.ServerKey.ToArray()))],
        };

    internal static AppPassword Of(string login, string id, StoredAppPassword stored) =>
        new(login, id, stored.Label, stored.CreatedAt, stored.ExpiresAt)
        {
            Networks = [.. stored.Networks.Select(IPNetwork.Parse)],
            Senders = [.. stored.Senders.Select(one => SenderPattern.Parse(one) ?? throw new FormatException($"\"{one}\" is no sender"))],
            Digest = stored.Digest,
            Verifiers = [.. (stored.Verifiers ?? []).Select(one => new ScramVerifier(one.Iterations, one.Salt, one.StoredKey, one.ServerKey))],
        };
}

/// <summary>When an app password was last used, and from where.</summary>
public sealed record AppPasswordUse(DateTimeOffset At, string From);

/// <summary>As it is stored. Names only grow.</summary>
internal sealed record StoredAppPassword(
    string Label, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, string[] Networks, string[] Senders, byte[] Digest)
{
    public StoredVerifier[]? Verifiers { get; init; }
}

internal sealed record StoredVerifier(int Iterations, byte[] Salt, byte[] StoredKey, byte[] ServerKey);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredAppPassword))]
[JsonSerializable(typeof(AppPasswordUse))]
internal sealed partial class AppPasswordJson : JsonSerializerContext;

using System.Net;
using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration;

/// <summary>[alert]: who is told of what cannot wait.</summary>
public sealed record AlertOptions
{
    /// <summary>Addresses alerts go to; they leave by the routes as all mail does.</summary>
    public ValueList<string> Mail { get; init; } = [];

    /// <summary>In From; "postmaster@" and the hostname when null.</summary>
    public string? From { get; init; }

    /// <summary>An http or https address that is posted JSON.</summary>
    public Uri? Webhook { get; init; }

    /// <summary>Signs what is posted; read from the file or environment variable named in the configuration.</summary>
    public string? WebhookSecret { get; init; }

    /// <summary>For one whole post and its answer.</summary>
    public TimeSpan WebhookTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Posts of one alert before it is given up; each wait is twice the last.</summary>
    public int WebhookTries { get; init; } = 5;

    /// <summary>What happens again within so long is counted, and told with the next alert of its kind.</summary>
    public TimeSpan CoolDown { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Whom a user is told to ask.</summary>
    public string Contact => Mail.IsEmpty ? "your mail administrator" : Mail[0];

    // The compiler's version would print the secret.
    public override string ToString() => $"alerts to {string.Join(',', Mail)} {Webhook?.Host}";
}

/// <summary>[metrics]: numbers for Prometheus.</summary>
/// <param name="Address">Null: off.</param>
public sealed record MetricsOptions(IPEndPoint? Address = null);

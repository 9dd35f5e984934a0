using System.Globalization;
using Sallyport.Mail.Policy;
using Sallyport.Server.Identity.AppPasswords;

namespace Sallyport.Server.Identity;

/// <summary>What became of a secret, and by what.</summary>
public sealed record Judgement(DirectoryAnswer Answer)
{
    /// <summary>The app password it is.</summary>
    public AppPassword? Through { get; init; }

    /// <summary>The login exists, although the secret was refused.</summary>
    public bool Known { get; init; }

    /// <summary>What the administrator should know of a success; empty otherwise.</summary>
    public string Note { get; init; } = "";

    /// <summary>Nobody could say, and what could be compared did not fit: counted as a failure and not remembered as one.</summary>
    public bool Guessed { get; init; }

    /// <summary>Its directory is away, and goes by what it last said.</summary>
    public OutageNote? Outage { get; init; }

    public static implicit operator Judgement(DirectoryAnswer answer) => FromDirectoryAnswer(answer);

    public static Judgement FromDirectoryAnswer(DirectoryAnswer answer) => new(answer);

    public static Judgement Refused(string why) => new(new DirectoryAnswer.Refused(why)) { Known = true };

    /// <summary>The login's grant as this secret has it: an app password may be for some of it only, and then nothing else passes.</summary>
    public Grant Complete(Grant grant) => grant with
    {
        Through = Through is null ? null : new AppPasswordName(Through.Id, Through.Label),
        Only = Through?.Senders ?? [],
        Mode = Through is { Senders.IsEmpty: false } ? SenderMode.Refuse : grant.Mode,
        Note = Outage is null ? Note : $"directory {Outage.Directory} is away ({Outage.Why}); it goes by its last success from this network, "
            + $"{Outage.Since.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}Z",
        Outage = Outage?.Directory ?? "",
    };
}

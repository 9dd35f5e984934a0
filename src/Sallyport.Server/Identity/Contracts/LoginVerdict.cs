using System.Collections.Immutable;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;

namespace Sallyport.Server.Identity.Contracts;

/// <summary>
/// What became of a login: the one type from a directory's back end to the session. A refusal is a <see cref="LoginReason"/> with
/// details; <see cref="Why"/> words it.
/// </summary>
public abstract record LoginVerdict
{
    private LoginVerdict()
    {
    }

    /// <summary>Why the login is not let in; <see cref="LoginReason.None"/> when nothing speaks against it.</summary>
    public abstract LoginReason Reason { get; init; }

    /// <summary>The directory that decided, from the chain; empty where none did.</summary>
    public string Directory { get; init; } = "";

    /// <summary>The reason in words, for the log and the administrator; never for the client.</summary>
    public string Why => LoginWording.Of(this);

    /// <summary>The directory does not know the login, or cannot say: the next one is asked.</summary>
    public bool IsForTheNext => Reason is LoginReason.UnknownLogin or LoginReason.UnknownOrWrong or LoginReason.CannotLookUp;

    /// <summary>The secret is right.</summary>
    public sealed record Granted(DirectoryEntry Entry) : LoginVerdict
    {
        public override LoginReason Reason { get; init; } = LoginReason.None;

        /// <summary>What the login may use: as far as its directory says, until the configuration and the commands are added.</summary>
        public Grant Grant { get; init; } = new(Entry.Login, Entry.Directory, Entry.Addresses) { Groups = Entry.Groups };

        /// <summary>The app password it was; null for any other proof.</summary>
        public ProvenAppPassword? Through { get; init; }

        /// <summary>What the administrator should know of it; empty otherwise.</summary>
        public string Note { get; init; } = "";

        /// <summary>Its directory is away, and goes by what it last said.</summary>
        public OutageNote? Outage { get; init; }
    }

    /// <summary>535: the secret was judged and is wrong, or nobody knows the login; the client is not told which.</summary>
    /// <param name="Reason">Never None.</param>
    /// <param name="Detail">What the reason alone does not say, for the log; no secret is in it.</param>
    public sealed record Denied(LoginReason Reason, string Detail = "") : LoginVerdict
    {
        public override LoginReason Reason { get; init; } = Reason;

        /// <summary>Whose the secret should have been, as the directory names the login, whatever name was typed; empty when that was it.</summary>
        public string Login { get; init; } = "";

        /// <summary>The login exists: the log may name it.</summary>
        public bool IsKnown { get; init; } = Reason is LoginReason.WrongPassword or LoginReason.Disabled or LoginReason.Expired;

        /// <summary>The same will be refused again; false where it may be right in a moment, as when a new key is to be fetched.</summary>
        public bool IsFinal { get; init; } = true;
    }

    /// <summary>454: nobody judged the secret, and the client comes again.</summary>
    /// <param name="Detail">For the log.</param>
    public sealed record Unavailable(string Detail) : LoginVerdict
    {
        public override LoginReason Reason { get; init; } = LoginReason.DirectoryUnavailable;

        /// <summary>What could be compared did not fit: counted as a failure, and not remembered as one.</summary>
        public bool IsGuess { get; init; }
    }

    /// <summary>Not over yet: SCRAM goes on with this verifier.</summary>
    public sealed record Verifier(ScramVerifier Value) : LoginVerdict
    {
        public override LoginReason Reason { get; init; } = LoginReason.None;

        /// <summary>The server's half of the nonce; empty from a directory.</summary>
        public string Nonce { get; init; } = "";
    }

    /// <summary>Not over yet: the directory's server leads the exchange, and says this.</summary>
    public sealed record Challenge(ReadOnlyMemory<byte> Octets, IDirectoryExchange Exchange) : LoginVerdict
    {
        public override LoginReason Reason { get; init; } = LoginReason.None;
    }
}

/// <summary>Why a login is not let in.</summary>
public enum LoginReason
{
    None,

    /// <summary>No directory knows the login.</summary>
    UnknownLogin,

    /// <summary>Refused by a server that does not tell an unknown login from a wrong password.</summary>
    UnknownOrWrong,

    /// <summary>The directory proves passwords and shows nobody.</summary>
    CannotLookUp,
    WrongPassword,

    /// <summary>What was typed has no form of a login.</summary>
    NotALogin,

    /// <summary>This very secret was refused before: a forgotten device, and no other failure.</summary>
    RepeatedSecret,
    Disabled,

    /// <summary>The secret was right and is too old.</summary>
    Expired,

    /// <summary>Of the form of an app password, and none of ours.</summary>
    AppPasswordUnknown,

    /// <summary>The app password a session was begun with is there no more.</summary>
    AppPasswordRevoked,
    AppPasswordExpired,

    /// <summary>An app password that is not for the client's network.</summary>
    AppPasswordNetwork,

    /// <summary>An app password of another login.</summary>
    AppPasswordOwner,

    /// <summary>app_passwords.required refuses the login's own password.</summary>
    AppPasswordRequired,

    /// <summary>An access token was judged, and is not valid.</summary>
    TokenInvalid,

    /// <summary>No directory takes such a token.</summary>
    TokenUnknown,

    /// <summary>No directory knows the certificate's holder.</summary>
    CertificateUnknown,

    /// <summary>A certificate of somebody else than the login.</summary>
    CertificateOwner,

    /// <summary>Proved, and unknown where its rights are to be looked up.</summary>
    NoRights,

    /// <summary>Too many failures: nobody was asked.</summary>
    TooManyFailures,

    /// <summary>The directory cannot answer, or too many are asking.</summary>
    DirectoryUnavailable,
}

/// <summary>The app password a login was proved with.</summary>
/// <param name="Senders">What of the login's it may send as; all of it when empty.</param>
public sealed record ProvenAppPassword(AppPasswordName Name, ImmutableArray<SenderPattern> Senders);

/// <param name="Directory">The one that is away.</param>
/// <param name="Since">When it last let the login in from there.</param>
/// <param name="Why">What is the matter with it.</param>
public sealed record OutageNote(string Directory, DateTimeOffset Since, string Why);

namespace Sallyport.Mail.Smtp;

/// <summary>The rows of the state table.</summary>
public enum SessionState
{
    /// <summary>Connected, or TLS just begun: EHLO is awaited.</summary>
    Greeted,

    /// <summary>EHLO or HELO said, not logged in.</summary>
    Identified,

    /// <summary>Logged in, no mail transaction.</summary>
    Authenticated,

    /// <summary>MAIL accepted, no recipient yet.</summary>
    InTransaction,

    /// <summary>At least one recipient accepted.</summary>
    HasRecipients,

    /// <summary>Between the chunks of a message (BDAT).</summary>
    ReceivingChunks,
}

namespace Sallyport.Mail.Smtp;

/// <summary>What an attempt to log in failed by.</summary>
public enum LoginFailure
{
    /// <summary>Unknown login, wrong secret, wrong binding, disabled: 535.</summary>
    Wrong,

    /// <summary>Nobody could judge it: 454, and no secret was wrong.</summary>
    Unavailable,

    /// <summary>The secret was right, and the login has reached a limit: 454.</summary>
    OverLimit,

    /// <summary>Not the mechanism's grammar: 501, 500.</summary>
    Malformed,

    /// <summary>The client gave up.</summary>
    Cancelled,
}

namespace Sallyport.Mail.Policy;

/// <summary>What is counted of a login's sending.</summary>
public enum SendingMeasure
{
    Messages,

    /// <summary>Of all messages; the same mailbox twice in one message is one.</summary>
    Recipients,

    /// <summary>Recipients the login has not written to before, outside its own domains.</summary>
    FirstTimeRecipients,

    /// <summary>Content as received.</summary>
    Bytes,

    /// <summary>Logins; with <see cref="SendingWindow.AtOnce"/> sessions that are logged in.</summary>
    Connections,
}

/// <summary>Over which time it is counted.</summary>
public enum SendingWindow
{
    AtOnce,
    Minute,
    Hour,
    Day,
}

/// <summary>So much of each measure.</summary>
public readonly record struct SendingAmount(long Messages, long Recipients, long FirstTimeRecipients, long Bytes, long Connections)
{
    public long this[SendingMeasure measure] => measure switch
    {
        SendingMeasure.Messages => Messages,
        SendingMeasure.Recipients => Recipients,
        SendingMeasure.FirstTimeRecipients => FirstTimeRecipients,
        SendingMeasure.Bytes => Bytes,
        _ => Connections,
    };

    public bool IsZero => this == default;

    public static SendingAmount operator +(SendingAmount a, SendingAmount b) => Add(a, b);

    public static SendingAmount operator -(SendingAmount a, SendingAmount b) => Subtract(a, b);

    public static SendingAmount Add(SendingAmount a, SendingAmount b) => new(a.Messages + b.Messages, a.Recipients + b.Recipients,
        a.FirstTimeRecipients + b.FirstTimeRecipients, a.Bytes + b.Bytes, a.Connections + b.Connections);

    public static SendingAmount Subtract(SendingAmount a, SendingAmount b) => new(a.Messages - b.Messages, a.Recipients - b.Recipients,
        a.FirstTimeRecipients - b.FirstTimeRecipients, a.Bytes - b.Bytes, a.Connections - b.Connections);
}

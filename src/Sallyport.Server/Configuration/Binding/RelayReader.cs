namespace Sallyport.Server.Configuration.Binding;

/// <summary>[relay].</summary>
internal static class RelayReader
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    public static RelayOptions Read(Section section)
    {
        var d = new RelayOptions();
        var options = new RelayOptions
        {
            RetryFirst = section.Time("retry_first", d.RetryFirst, Second, Day),
            RetryFactor = section.Factor("retry_factor", d.RetryFactor, 1, 10),
            RetryMax = section.Time("retry_max", d.RetryMax, Second, 7 * Day),
            GiveUpAfter = section.Time("give_up_after", d.GiveUpAfter, Second, 30 * Day),
            WarnAfter = section.Time("warn_after", d.WarnAfter, Second, 30 * Day),
            MessagesPerConnection = section.Number("messages_per_connection", d.MessagesPerConnection, 1, 1_000_000),
            RecipientsPerTransaction = section.Number("recipients_per_transaction", d.RecipientsPerTransaction, 1, 10_000),
            IdleTimeout = section.Time("idle_timeout", d.IdleTimeout, TimeSpan.FromMilliseconds(100), Hour),
            MemoryBytes = section.Size("memory_bytes", d.MemoryBytes, 0L, 64L << 30),
            MessagesInMemory = section.Number("messages_in_memory", d.MessagesInMemory, 1, 1_000_000),
            ReturnedBytes = section.Size("returned_bytes", d.ReturnedBytes, 1024, 64 << 20),
        };
        section.Finish();
        return options;
    }
}

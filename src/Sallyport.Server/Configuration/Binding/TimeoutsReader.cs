namespace Sallyport.Server.Configuration.Binding;

/// <summary>[timeouts].</summary>
internal static class TimeoutsReader
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public static TimeoutOptions Read(Section section)
    {
        var d = new TimeoutOptions();
        var options = new TimeoutOptions
        {
            Handshake = section.Time("handshake", d.Handshake, Second, Hour),
            CommandBeforeLogin = section.Time("command_before_login", d.CommandBeforeLogin, Second, Hour),
            Login = section.Time("login", d.Login, Second, Hour),
            Command = section.Time("command", d.Command, Second, Hour),
            DataBlock = section.Time("data_block", d.DataBlock, Second, Hour),
            DataBytesPerSecondMin = section.Number("data_bytes_per_second_min", d.DataBytesPerSecondMin, 0, 1_000_000),
            Write = section.Time("write", d.Write, Second, Hour),
            Commit = section.Time("commit", d.Commit, Second, Hour),
            Drain = section.Time("drain", d.Drain, TimeSpan.Zero, Hour),
            RelayConnect = section.Time("relay_connect", d.RelayConnect, Second, Hour),
            RelayGreeting = section.Time("relay_greeting", d.RelayGreeting, Second, Hour),
            RelayCommand = section.Time("relay_command", d.RelayCommand, Second, Hour),
            RelayDataBlock = section.Time("relay_data_block", d.RelayDataBlock, Second, Hour),
            RelayFinalDot = section.Time("relay_final_dot", d.RelayFinalDot, Second, Hour),
        };
        section.Finish();
        return options;
    }
}

namespace Sallyport.Server.Reporting;

/// <summary>What the sender can do, from the class of the remote's answer (RFC 3463 §3).</summary>
public static class Advice
{
    public static string For(ReportKind kind, string reply)
    {
        if (kind != ReportKind.Failed)
        {
            return "";
        }

        var code = EnhancedOf(reply);
        var subject = code.Length > 2 ? code[2..] : "";
        return subject switch
        {
            "1.1" or "1.0" or "1.6" => "The address does not seem to exist: please check how it is written.",
            "1.2" or "1.10" => "The part of the address behind the @ does not take mail: please check how it is written.",
            "2.2" => "The mailbox is full: please try again when its owner has made room.",
            "3.4" or "2.3" => "The message is too large for the other side: please send it in parts or share the files in another way.",
            "4.7" => "The other side could not be reached for too long. Please send the message again later, or call.",
            "6.7" => "The other side takes no addresses or headers with accented or non-Latin letters: please use another address.",
            "7.1" or "7.0" => "The other side refuses the message by its own rules: its administrator, or yours, can say more.",
            _ => "",
        };
    }

    /// <summary>The enhanced code (RFC 3463) of a reply on one line, "550 5.1.1 …" or "550-5.1.1 … 550 5.1.1 …"; empty without one.</summary>
    public static string EnhancedOf(string reply)
    {
        var word = reply.Length > 4 && reply[3] is (' ' or '-') ? reply[4..].Split(' ')[0] : "";
        var parts = word.Split('.');
        return parts.Length == 3 && parts[0] is ("2" or "4" or "5") && parts.All(part => part.Length is > 0 and <= 3 && part.All(char.IsAsciiDigit))
            ? word
            : "";
    }
}

using System.Net;
using Sallyport.Mail.Addressing;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>The name the server goes by.</summary>
internal static class HostnameReader
{
    public static string Read(Section top)
    {
        var name = top.RequiredText("hostname", "smtp.acme.test");
        if (name is null)
        {
            return "";
        }

        if (IPAddress.TryParse(name.Trim('[', ']'), out _))
        {
            top.Report("hostname", $"\"{name}\" is an address; give the server's name, which its certificate carries: \"smtp.acme.test\"");
            return name;
        }

        if (!MailboxParser.TryParse("x@" + name, out var mailbox))
        {
            top.Report("hostname", $"\"{name}\" is not a domain name");
            return name;
        }

        // Greeting, EHLO and Received carry ASCII, also before anybody has agreed on more (RFC 6531 §3.7.1).
        return name.All(char.IsAscii) ? name : mailbox!.AsciiDomain;
    }
}

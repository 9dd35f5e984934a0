using System.Globalization;

namespace Sallyport.Mail.Content;

/// <summary>date-time of RFC 5322 §3.3.</summary>
public static class MailDate
{
    public static string Of(DateTimeOffset time) =>
        time.ToString("ddd, dd MMM yyyy HH:mm:ss ", CultureInfo.InvariantCulture)
        + time.ToString("zzz", CultureInfo.InvariantCulture).Replace(":", "", StringComparison.Ordinal);
}

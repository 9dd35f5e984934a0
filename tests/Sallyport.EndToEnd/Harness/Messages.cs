using System.Security.Cryptography;
using System.Text;

namespace Sallyport.EndToEnd.Harness;

/// <summary>The messages every client sends, as files with CRLF, each with a token by which it is found again.</summary>
internal sealed record Message(string Token, string From, string To, string File, string BodyDigest)
{
    public bool NeedsSmtpUtf8 => !Ascii.IsValid(From + To);

    public static Message Text(TestFolder folder, string token) => Write(folder, token, "jane@acme.test", "bob@example.test",
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
        "Grüße aus dem Zug.\r\n.\r\n..two dots\r\n.one dot and text\r\nLast line\r\n");

    public static Message Attachment(TestFolder folder, string token) => Write(folder, token, "jane@acme.test", "bob@example.test",
        Multipart, MultipartBody(RandomNumberGenerator.GetBytes(200_000)));

    public static Message Utf8Address(TestFolder folder, string token) => Write(folder, token, "jäne@acme.test", "böb@example.test",
        "Content-Type: text/plain; charset=utf-8\r\n", "From an internationalised address.\r\n");

    /// <summary>30 MB on the wire.</summary>
    public static Message Big(TestFolder folder, string token) => Write(folder, token, "jane@acme.test", "bob@example.test",
        Multipart, MultipartBody(RandomNumberGenerator.GetBytes(22_000_000)));

    /// <summary>The digest of the body in a file that was kept, whatever newline the keeper writes.</summary>
    public static string DigestOfKept(string file)
    {
        var content = System.IO.File.ReadAllBytes(file);
        return Digest(BodyOf(content));
    }

    public static string HeaderOfKept(string file)
    {
        var content = System.IO.File.ReadAllBytes(file);
        return Encoding.UTF8.GetString(content, 0, content.Length - BodyOf(content).Length);
    }

    private const string Multipart = "Content-Type: multipart/mixed; boundary=\"=_cut\"\r\n";

    private static Message Write(TestFolder folder, string token, string from, string to, string mime, string body)
    {
        var text = $"From: Jane Doe <{from}>\r\nTo: <{to}>\r\nSubject: test {token}\r\nMessage-ID: <{token}@client.test>\r\n"
            + $"Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n{mime}\r\n{body}";
        return new Message(token, from, to, folder.Write(token + ".eml", text), Digest(Encoding.UTF8.GetBytes(body)));
    }

    private static string MultipartBody(byte[] attachment) =>
        "--=_cut\r\nContent-Type: text/plain\r\n\r\nSee the attachment.\r\n"
        + "--=_cut\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"a.bin\"\r\n"
        + "Content-Transfer-Encoding: base64\r\n\r\n"
        + Convert.ToBase64String(attachment, Base64FormattingOptions.InsertLineBreaks) + "\r\n--=_cut--\r\n";

    private static ReadOnlySpan<byte> BodyOf(ReadOnlySpan<byte> content)
    {
        var crlf = content.IndexOf("\r\n\r\n"u8);
        var lf = content.IndexOf("\n\n"u8);
        return crlf >= 0 && (lf < 0 || crlf < lf) ? content[(crlf + 4)..] : content[(lf + 2)..];
    }

    private static string Digest(ReadOnlySpan<byte> body)
    {
        var lines = Encoding.Latin1.GetString(body).Replace("\r\n", "\n", StringComparison.Ordinal);
        return Convert.ToHexString(SHA256.HashData(Encoding.Latin1.GetBytes(lines)));
    }
}

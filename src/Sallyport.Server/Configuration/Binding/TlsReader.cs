using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>[tls]: the files are looked into, so that a wrong one is a mistake with a line, beside all others.</summary>
internal static class TlsReader
{
    public static TlsOptions? Read(Section section, ConfiguredFiles paths, DateTimeOffset now)
    {
        var certificate = section.RequiredText("certificate", "/etc/sallyport/fullchain.pem");
        var key = section.RequiredText("key", "/etc/sallyport/privkey.pem");
        var clientCa = section.Text("client_ca");
        var clientCrl = section.Text("client_crl");
        section.Finish();
        if (clientCrl is not null && clientCa is null)
        {
            section.Report("client_crl", "is only valid with client_ca");
        }

        if (certificate is null || key is null)
        {
            return null;
        }

        var options = new TlsOptions(paths.MustExist(section, "certificate", certificate), paths.MustExist(section, "key", key))
        {
            ClientCa = clientCa is null ? null : Authorities(section, paths, "client_ca", clientCa),
            ClientCrl = clientCrl is null ? null : paths.MustExist(section, "client_crl", clientCrl),
        };
        var certificateText = paths.TextOf(section, "certificate", options.Certificate);
        var keyText = paths.TextOf(section, "key", options.Key);
        using var leaf = certificateText is null ? null : Leaf(section, options, certificateText);
        if (certificateText is not null && leaf is not null)
        {
            CheckTime(section, options, leaf, paths, now);
            CheckKey(section, options, certificateText, keyText);
        }

        if (keyText is not null)
        {
            ConfiguredFiles.WarnIfReadByAll(section, "key", options.Key);
        }

        return options;
    }

    /// <summary>A file of certificates to trust.</summary>
    public static string Authorities(Section section, ConfiguredFiles paths, string key, string path)
    {
        var full = paths.MustExist(section, key, path);
        if (paths.TextOf(section, key, full) is { } text)
        {
            try
            {
                var found = new X509Certificate2Collection();
                found.ImportFromPem(text);
                if (found.Count == 0)
                {
                    section.Report(key, $"{full} has no certificate in PEM (\"-----BEGIN CERTIFICATE-----\")");
                }
            }
            catch (CryptographicException)
            {
                section.Report(key, $"{full} has a damaged certificate");
            }
        }

        return full;
    }

    private static X509Certificate2? Leaf(Section section, TlsOptions options, string text)
    {
        try
        {
            return X509Certificate2.CreateFromPem(text);
        }
        catch (CryptographicException)
        {
            section.Report("certificate", $"{options.Certificate} has no certificate in PEM (\"-----BEGIN CERTIFICATE-----\"), or a damaged one");
            return null;
        }
    }

    private static void CheckTime(Section section, TlsOptions options, X509Certificate2 leaf, ConfiguredFiles paths, DateTimeOffset now)
    {
        if (leaf.NotAfter.ToUniversalTime() < now.UtcDateTime)
        {
            section.Warn("certificate", $"{options.Certificate} expired {Day(leaf.NotAfter)}: clients will refuse it");
        }
        else if (leaf.NotBefore.ToUniversalTime() > now.UtcDateTime)
        {
            section.Warn("certificate", $"{options.Certificate} is valid only from {Day(leaf.NotBefore)}: clients will refuse it");
        }
    }

    private static void CheckKey(Section section, TlsOptions options, string certificate, string? key)
    {
        if (key is null)
        {
            return;
        }

        if (key.Contains("ENCRYPTED", StringComparison.Ordinal))
        {
            section.Report("key", $"{options.Key} has a passphrase: `openssl pkey -in {options.Key}` writes it without one");
            return;
        }

        if (!key.Contains(" PRIVATE KEY-----", StringComparison.Ordinal))
        {
            section.Report("key", $"{options.Key} has no private key in PEM (\"-----BEGIN PRIVATE KEY-----\")");
            return;
        }

        try
        {
            using var both = X509Certificate2.CreateFromPem(certificate, key);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            section.Report("key", $"{options.Key} is not the key of {options.Certificate}");
        }
    }

    private static string Day(DateTime time) => time.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}

namespace Sallyport.Server.Configuration.Binding;

/// <summary>A [[directory]] with type = "certificate": holders of client certificates.</summary>
internal static class CertificateDirectoryReader
{
    public static CertificateDirectoryOptions Read(Section section, string name, ConfiguredFiles paths)
    {
        var from = section.Choice("login_from", ("email", CertificateLogin.Email), ("upn", CertificateLogin.PrincipalName),
            ("cn", CertificateLogin.CommonName), ("fingerprint", CertificateLogin.FingerprintTable)) ?? CertificateLogin.Email;
        var table = section.Text("fingerprint_file");
        var disabled = section.Text("disabled_file");
        if ((from == CertificateLogin.FingerprintTable) == (table is null))
        {
            section.Report("fingerprint_file", table is null
                ? "is missing: login_from = \"fingerprint\" needs the file that says whose each certificate is"
                : "is only valid with login_from = \"fingerprint\"");
        }

        return new CertificateDirectoryOptions(name)
        {
            LoginFrom = from,
            FingerprintFile = table is null ? null : paths.MustExist(section, "fingerprint_file", table),
            DisabledFile = disabled is null ? null : paths.MustExist(section, "disabled_file", disabled),
            LookUpIn = section.Text("lookup"),
        };
    }
}

namespace Sallyport.EndToEnd.Harness;

/// <summary>A private authority for client certificates, made as an administrator makes one: with the openssl command.</summary>
internal sealed class OpenSslAuthority
{
    private readonly TestFolder _folder;
    private readonly string _openssl = Peers.Require("openssl");

    private OpenSslAuthority(TestFolder folder) => _folder = folder;

    public string CaFile => Of("ca.pem");

    public string CrlFile => Of("crl.pem");

    public static async Task<OpenSslAuthority> CreateAsync(TestFolder folder)
    {
        var authority = new OpenSslAuthority(folder);
        folder.Write("clients/index.txt", "");
        folder.Write("clients/crlnumber", "01\n");
        folder.Write("clients/ca.conf", $"""
            [ca]
            default_ca = ca_default
            [ca_default]
            database = {authority.Of("index.txt")}
            crlnumber = {authority.Of("crlnumber")}
            default_md = sha256
            default_crl_days = 30
            unique_subject = no
            """);
        await authority.NewRootAsync("ca", "Acme Client CA");
        await authority.NewRootAsync("other", "Other CA");
        await authority.PublishAsync();
        return authority;
    }

    /// <summary>Certificate and key files for a holder.</summary>
    /// <param name="issuer">"ca", or "other" for an authority nobody trusts.</param>
    public async Task<(string Certificate, string Key)> IssueAsync(string name, string issuer = "ca", int days = 30, string use = "clientAuth")
    {
        var file = $"{name}-{issuer}-{days}-{use}";
        var extensions = _folder.Write($"clients/{file}.ext",
            $"basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage={use}\nsubjectAltName=email:{name}@acme.test\n");
        await RunAsync("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", $"/O=Acme/CN={name}",
            "-keyout", Of(file + ".key"), "-out", Of(file + ".csr"));
        await RunAsync("x509", "-req", "-in", Of(file + ".csr"), "-CA", Of(issuer + ".pem"), "-CAkey", Of(issuer + ".key"), "-CAcreateserial",
            "-days", $"{days}", "-sha256", "-extfile", extensions, "-out", Of(file + ".pem"));
        return (Of(file + ".pem"), Of(file + ".key"));
    }

    public async Task RevokeAsync(string certificate)
    {
        await RunAsync("ca", "-config", Of("ca.conf"), "-revoke", certificate, "-keyfile", Of("ca.key"), "-cert", CaFile);
        await PublishAsync();
    }

    private async Task PublishAsync()
    {
        await RunAsync("ca", "-config", Of("ca.conf"), "-gencrl", "-keyfile", Of("ca.key"), "-cert", CaFile, "-out", Of("crl.new"));
        File.Move(Of("crl.new"), CrlFile, overwrite: true);
    }

    private async Task NewRootAsync(string name, string subject) => await RunAsync(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90", "-subj", "/CN=" + subject,
        "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", Of(name + ".key"), "-out", Of(name + ".pem"));

    private string Of(string name) => _folder.Of("clients/" + name);

    private async Task RunAsync(params string[] arguments)
    {
        var result = await Tool.RunAsync(_openssl, arguments);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"openssl {arguments[0]}: {result.All}");
        }
    }
}

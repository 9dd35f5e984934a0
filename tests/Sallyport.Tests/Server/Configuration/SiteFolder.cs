using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Server.Configuration;

namespace Sallyport.Tests.Server.Configuration;

/// <summary>A folder with the files a configuration names, gone with the test.</summary>
internal sealed class SiteFolder : IDisposable
{
    public SiteFolder()
    {
        Path = Directory.CreateTempSubdirectory("sallyport-site-").FullName;
        Issue("tls", DateTimeOffset.UtcNow.AddDays(30));
    }

    public string Path { get; }

    public string File => Of("sallyport.toml");

    public string Of(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>NAME.crt and NAME.key.</summary>
    public void Issue(string name, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=smtp.acme.test", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(until.AddDays(-60), until);
        System.IO.File.WriteAllText(Of(name + ".crt"), certificate.ExportCertificatePem());
        Write(name + ".key", key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>For our eyes only.</summary>
    public void Write(string name, string text)
    {
        System.IO.File.WriteAllText(Of(name), text);
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(Of(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    /// <summary>A configuration that is right, with one part of it replaced.</summary>
    public ConfigurationResult Load(string right = "", string wrong = "", string more = "")
    {
        var text = """
            hostname = "smtp.acme.test"
            data = "data"
            [[listener]]
            address = "127.0.0.1:5587"
            tls = "starttls"
            [tls]
            certificate = "tls.crt"
            key = "tls.key"
            [[route]]
            recipients = ["*"]
            smarthost = "inner.acme.test"
            """ + "\n";
        if (right.Length > 0 && !text.Contains(right, StringComparison.Ordinal))
        {
            throw new ArgumentException(right, nameof(right));
        }

        System.IO.File.WriteAllText(File, (right.Length > 0 ? text.Replace(right, wrong, StringComparison.Ordinal) : text) + more);
        return BothSources.Load(File);
    }

    /// <summary>"line: key: message" of each mistake.</summary>
    public string[] Problems(string right = "", string wrong = "", string more = "") =>
        Load(right, wrong, more) is ConfigurationResult.Invalid invalid ? [.. invalid.Problems.Select(Show)] : [];

    public string[] Warnings(string right = "", string wrong = "", string more = "") => Load(right, wrong, more) switch
    {
        ConfigurationResult.Loaded loaded => [.. loaded.Warnings.Select(Show)],
        ConfigurationResult.Invalid invalid => [.. invalid.Warnings.Select(Show)],
        _ => [],
    };

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private string Show(ConfigurationProblem problem) =>
        $"{problem.Line}: {problem.Key}: {problem.Message}".Replace(Path, "", StringComparison.Ordinal);
}

using System.Collections.Frozen;
using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Directories.Certificates;

/// <summary>Holders of verified client certificates: which name in the certificate is the login is configured, never guessed.</summary>
public sealed class CertificateDirectory(CertificateDirectoryOptions options) : ICertificateDirectory
{
    private const string BySerial = "serial:";
    private const string ByFingerprint = "sha256:";

    private readonly WatchedFile<FrozenDictionary<string, string>>? _logins =
        options.FingerprintFile is { } file ? new(file, ReadTable) : null;

    private readonly WatchedFile<FrozenSet<string>>? _disabled = options.DisabledFile is { } file ? new(file, ReadDisabled) : null;

    public string Name => options.Name;

    public string? LookUpIn => options.LookUpIn;

    /// <summary>Certificates tell us of nobody who does not come with one; the list of the disabled does.</summary>
    public ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel) =>
        new(new LoginVerdict.Denied(_disabled?.Read().Contains(login) == true ? LoginReason.Disabled : LoginReason.CannotLookUp));

    public ValueTask<LoginVerdict> CheckCertificateAsync(ClientCertificate certificate, string? login, CancellationToken cancel) =>
        new(Check(certificate, login));

    /// <summary>What is wrong with the files of the configuration; null when nothing is.</summary>
    public string? Diagnose()
    {
        try
        {
            _logins?.Read();
            _disabled?.Read();
            return null;
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }

    private LoginVerdict Check(ClientCertificate certificate, string? wanted)
    {
        var logins = Names(certificate).Select(Credentials.PrepareLogin).OfType<string>().Distinct(StringComparer.Ordinal).ToImmutableArray();
        if (logins.IsEmpty)
        {
            return new LoginVerdict.Denied(LoginReason.UnknownLogin);
        }

        var login = wanted ?? logins[0];
        if (!logins.Contains(login))
        {
            return new LoginVerdict.Denied(LoginReason.CertificateOwner,
                $"the certificate is that of {string.Join(", ", logins.Take(5))}, and the client wants to act for {login}");
        }

        if (_disabled?.Read() is { } disabled
            && (disabled.Contains(login) || disabled.Contains(BySerial + certificate.Serial)
                || disabled.Contains(ByFingerprint + certificate.Fingerprint)))
        {
            return new LoginVerdict.Denied(LoginReason.Disabled);
        }

        ImmutableArray<string> addresses =
        [
            .. certificate.Emails.Prepend(login).Select(address => MailboxParser.TryParse(address, out var mailbox) ? mailbox!.Canonical : null)
                .OfType<string>().Distinct(StringComparer.Ordinal),
        ];
        return new LoginVerdict.Granted(new DirectoryEntry(login, Name, addresses, []));
    }

    private IEnumerable<string> Names(ClientCertificate certificate) => options.LoginFrom switch
    {
        CertificateLogin.Email => certificate.Emails,
        CertificateLogin.PrincipalName => certificate.PrincipalNames,
        CertificateLogin.CommonName => certificate.CommonName.Length > 0 ? [certificate.CommonName] : [],
        _ => _logins!.Read().TryGetValue(certificate.Fingerprint, out var login) ? [login] : [],
    };

    private static FrozenDictionary<string, string> ReadTable(IEnumerable<string> lines)
    {
        var table = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in lines)
        {
            var blank = line.IndexOfAny([' ', '\t']);
            var digits = blank < 0 ? "" : Hex(line[..blank]);
            if (digits.Length != 64 || Credentials.PrepareLogin(line[blank..]) is not { } login)
            {
                throw new InvalidDataException("a line is not a SHA-256 fingerprint, a blank and a login");
            }

            table[digits] = login;
        }

        return table.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static FrozenSet<string> ReadDisabled(IEnumerable<string> lines) => lines
        .Select(line => Prefixed(line, BySerial) ?? Prefixed(line, ByFingerprint) ?? Credentials.PrepareLogin(line)
            ?? throw new InvalidDataException("a line is neither a login nor serial: or sha256: and digits"))
        .ToFrozenSet(StringComparer.Ordinal);

    private static string? Prefixed(string line, string prefix) =>
        line.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? prefix + Hex(line[prefix.Length..]) : null;

    private static string Hex(string text) => text.Replace(":", "", StringComparison.Ordinal).Trim().ToUpperInvariant();
}

/// <summary>A small file of lines, read again when it has changed; blank lines and those with "#" are left out.</summary>
internal sealed class WatchedFile<T>(string path, Func<IEnumerable<string>, T> parse)
    where T : class
{
    private const long BytesMax = 4 * 1024 * 1024;

    private readonly Lock _gate = new();
    private (DateTime WrittenAt, long Bytes) _seen;
    private T? _value;

    /// <exception cref="IOException">It cannot be read: whoever asks gets no answer rather than an old one.</exception>
    /// <exception cref="InvalidDataException">It is not what it should be.</exception>
    public T Read()
    {
        lock (_gate)
        {
            var info = new FileInfo(path);
            if (!info.Exists || info.Length > BytesMax)
            {
                throw new InvalidDataException($"{path} is not there, or larger than 4 MiB");
            }

            if (_value is null || _seen != (info.LastWriteTimeUtc, info.Length))
            {
                try
                {
                    _value = parse(File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'));
                }
                catch (InvalidDataException exception)
                {
                    throw new InvalidDataException($"{path}: {exception.Message}", exception);
                }

                _seen = (info.LastWriteTimeUtc, info.Length);
            }

            return _value;
        }
    }
}

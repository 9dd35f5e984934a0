using System.Collections.Immutable;
using System.DirectoryServices.Protocols;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>
/// One connection to one server, TLS included, for one caller at a time. Its calls block, never longer than their deadline. After an
/// <see cref="LdapServerException"/> it is of no more use.
/// </summary>
internal sealed class LdapLink : IDisposable
{
    // LDAP_FILTER_ERROR, as the package numbers it.
    private const int FilterError = 87;

    private readonly LdapHandle _handle;
    private readonly LdapConnection _connection;

    private LdapLink(LdapServerAddress server, LdapHandle handle)
    {
        Server = server;
        _handle = handle;
        var host = server.Host.Contains(':', StringComparison.Ordinal) ? $"[{server.Host}]" : server.Host;
        _connection = Wrap(new LdapDirectoryIdentifier($"{host}:{server.Port}"), null, AuthType.Anonymous, handle.DangerousGetHandle());
        _connection.AutoBind = false;
        _connection.SessionOptions.SecureSocketLayer = server.ImplicitTls;
    }

    public LdapServerAddress Server { get; }

    /// <summary>When it was last used, for closing it when idle.</summary>
    public long LastUsed { get; set; }

    /// <exception cref="LdapServerException">No connection, or no TLS with a certificate that is right.</exception>
    public static LdapLink Open(LdapServerAddress server, LdapDirectoryOptions options, LdapDeadline deadline)
    {
        if (!NativeLdap.IsPresent)
        {
            throw new LdapServerException("libldap is not on this machine; on Debian: apt install libldap-2.5-0", isServer: false);
        }

        var handle = LdapHandle.On(Connect(server, deadline), server.ToString());
        try
        {
            Prepare(handle, options);
            if (server.ImplicitTls || options.StartTls)
            {
                StartTls(handle, server, options, deadline);
            }

            return new LdapLink(server, handle);
        }
        catch
        {
            handle.Shut();
            handle.Dispose();
            throw;
        }
    }

    /// <summary>A simple bind; libldap's own call loses most results, so the exchange is made here step by step.</summary>
    /// <param name="password">Never empty: that would be an unauthenticated bind, which succeeds (RFC 4513 §5.1.2).</param>
    /// <exception cref="LdapServerException">No answer.</exception>
    public unsafe BindResult Bind(string dn, string password, LdapDeadline deadline)
    {
        ArgumentException.ThrowIfNullOrEmpty(password);
        var ld = _handle.DangerousGetHandle();
        var octets = Encoding.UTF8.GetBytes(password);
        using var guard = _handle.ShutAt(deadline);
        var controls = stackalloc nint[2];
        _ = NativeLdap.CreateControl(NativeLdap.PasswordPolicy, 0, 0, 0, out controls[0]);
        try
        {
            int sent;
            int message;
            fixed (byte* start = octets)
            {
                var secret = new NativeLdap.Octets { Length = octets.Length, Start = (nint)start };
                sent = NativeLdap.Bind(ld, dn, 0, secret, (nint)controls, 0, out message);
            }

            return sent == 0 ? ReadVerdict(ld, message) : throw Broken("the bind could not be sent");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(octets);
            NativeLdap.FreeControl(controls[0]);
            GC.KeepAlive(_handle);
        }
    }

    /// <exception cref="LdapServerException">No answer, or one that is no answer to a search.</exception>
    public LdapFound Search(string root, SearchScope scope, string filter, string[] attributes, int most, LdapDeadline deadline)
    {
        var seconds = TimeSpan.FromSeconds(Math.Ceiling(deadline.Left.TotalSeconds) + 1);
        var request = new SearchRequest(root, filter, scope, attributes) { SizeLimit = most, TimeLimit = seconds };
        using var guard = _handle.ShutAt(deadline);
        try
        {
            return Take((SearchResponse)_connection.SendRequest(request, seconds), most);
        }
        catch (DirectoryOperationException exception)
        {
            return exception.Response switch
            {
                SearchResponse { ResultCode: ResultCode.SizeLimitExceeded } some => Take(some, most),
                { ResultCode: ResultCode.Referral } => new LdapFound([], IsReferral: true),
                { } response => throw NoSearch(response, root),
                null => throw new LdapServerException(exception.Message),
            };
        }
        catch (LdapException exception)
        {
            throw exception.ErrorCode == FilterError
                ? new LdapServerException($"{filter} is not a filter", isServer: false)
                : Broken(exception.Message.TrimEnd('.'));
        }
        finally
        {
            GC.KeepAlive(_handle);
        }
    }

    public void Dispose()
    {
        _connection.Dispose();
        _handle.Shut();
        _handle.Dispose();
    }

    /// <summary>The constructor for a connection somebody else opened; the package has it without showing it.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern LdapConnection Wrap(LdapDirectoryIdentifier server, NetworkCredential? credential, AuthType type, nint handle);

    private static Socket Connect(LdapServerAddress server, LdapDeadline deadline)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var limit = new CancellationTokenSource(deadline.Left, deadline.Time);
            socket.ConnectAsync(server.Host, server.Port, limit.Token).AsTask().GetAwaiter().GetResult();
            return socket;
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            throw new LdapServerException(exception is SocketException ? exception.Message : "no connection in time");
        }
    }

    private static void Prepare(LdapHandle handle, LdapDirectoryOptions options)
    {
        var ld = handle.DangerousGetHandle();
        var trusted = options.TlsCa ?? LdapTls.SystemAuthorities;
        // In words of ours, so that neither ldap.conf nor the environment weakens them.
        var wrong = NativeLdap.SetNumber(ld, NativeLdap.OptionVersion, NativeLdap.Version3)
            | NativeLdap.SetSwitch(ld, NativeLdap.OptionReferrals, 0)
            | NativeLdap.SetText(ld, NativeLdap.OptionTlsCaFile, trusted)
            | NativeLdap.SetNumber(ld, NativeLdap.OptionTlsRequireCertificate, NativeLdap.TlsDemand)
            | NativeLdap.SetNumber(ld, NativeLdap.OptionTlsProtocolMin, NativeLdap.Tls12);
        if (wrong == 0 && (options.StartTls || options.Servers.Any(server => server.ImplicitTls)))
        {
            wrong = NativeLdap.SetNumber(ld, NativeLdap.OptionTlsNewContext, 0);
        }

        if (wrong != 0)
        {
            throw new LdapServerException($"libldap did not take its options; are the authorities in {trusted} readable?", isServer: false);
        }
    }

    private static void StartTls(LdapHandle handle, LdapServerAddress server, LdapDirectoryOptions options, LdapDeadline deadline)
    {
        using var guard = handle.ShutAt(deadline);
        var ld = handle.DangerousGetHandle();
        var result = server.ImplicitTls ? NativeLdap.InstallTls(ld) : NativeLdap.StartTls(ld, 0, 0);
        if (result != 0)
        {
            throw new LdapServerException(handle.IsShut
                ? "TLS did not come about in time"
                : "TLS failed: " + LdapTls.WhyItFailed(server, options, deadline));
        }
    }

    private BindResult ReadVerdict(nint ld, int message)
    {
        // The guard shuts the connection long before.
        var patience = new NativeLdap.Wait { Seconds = 60 };
        if (NativeLdap.Result(ld, message, NativeLdap.All, patience, out var result) <= 0
            || NativeLdap.ParseResult(ld, result, out var code, 0, out var text, 0, out var answered, 1) != 0)
        {
            throw Broken("no answer to the bind");
        }

        var policy = BindResult.PolicyNone;
        if (NativeLdap.FindControl(NativeLdap.PasswordPolicy, answered, 0) is var control and not 0)
        {
            _ = NativeLdap.ParsePasswordPolicy(ld, control, out _, out _, out policy);
        }

        if (answered != 0)
        {
            NativeLdap.FreeControls(answered);
        }

        return BindResult.Of(code, NativeLdap.TakeText(text), policy);
    }

    private LdapServerException Broken(string what) => new(_handle.IsShut ? "no answer in time" : what + ": the connection is lost");

    private static LdapServerException NoSearch(DirectoryResponse response, string root)
    {
        var said = string.IsNullOrWhiteSpace(response.ErrorMessage) ? "" : $", {response.ErrorMessage.Trim('\0', ' ', '\n')}";
        var code = (int)response.ResultCode;
        return response.ResultCode switch
        {
            ResultCode.NoSuchObject => new($"base \"{root}\" does not exist there, or may not be seen (result {code}{said})", isServer: false),
            ResultCode.InsufficientAccessRights or ResultCode.StrongAuthRequired or ResultCode.InappropriateAuthentication =>
                new($"the search is not allowed: set bind_dn and password_file (result {code}{said})", isServer: false),
            ResultCode.Busy or ResultCode.Unavailable or ResultCode.TimeLimitExceeded or ResultCode.Other =>
                new($"the server cannot answer now (result {code}{said})"),
            _ => new($"the search failed (result {code}, {response.ResultCode}{said})", isServer: false),
        };
    }

    private static LdapFound Take(SearchResponse response, int most) => new(
        [.. response.Entries.Cast<SearchResultEntry>().Take(most).Select(Take)], HasMore: response.References.Count > 0);

    private static LdapEntry Take(SearchResultEntry entry)
    {
        var attributes = new Dictionary<string, ImmutableArray<string>>(StringComparer.OrdinalIgnoreCase);
        foreach (DirectoryAttribute attribute in entry.Attributes.Values)
        {
            attributes[attribute.Name] = [.. attribute.GetValues(typeof(string)).Cast<string>()];
        }

        return new LdapEntry(entry.DistinguishedName, attributes);
    }
}

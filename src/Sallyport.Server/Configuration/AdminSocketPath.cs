using System.Text;

namespace Sallyport.Server.Configuration;

/// <summary>Where the admin socket of a data directory is.</summary>
public static class AdminSocketPath
{
    private const string Name = "admin.sock";

    /// <summary>The kernel's limit for the name of a socket (unix(7)).</summary>
    private const int BytesMax = 107;

    /// <summary>Bytes the path of a data directory may have, for the socket in it.</summary>
    public static int DataBytesMax => BytesMax - Name.Length - 1;

    public static string In(string data) => Path.Combine(data, Name);

    /// <exception cref="StartException">The kernel would not take the name of the socket.</exception>
    public static void Check(string data)
    {
        if (!Fits(data))
        {
            throw new StartException(
                $"The path {data} is longer than {DataBytesMax} bytes, too long for the admin socket in it: choose a shorter data directory");
        }
    }

    public static bool Fits(string data) => Encoding.UTF8.GetByteCount(In(data)) <= BytesMax;
}

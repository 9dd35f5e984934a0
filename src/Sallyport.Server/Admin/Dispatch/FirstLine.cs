namespace Sallyport.Server.Admin.Dispatch;

/// <summary>The request before a file, in one body.</summary>
internal static class FirstLine
{
    public const int BytesMax = 64 * 1024;

    /// <summary>The first line, without its end; longer ones are cut, and then no JSON. The stream goes on behind it.</summary>
    public static async ValueTask<Stream> ReadAsync(Stream input, CancellationToken cancel)
    {
        var line = new MemoryStream();
        var one = new byte[1];
        while (line.Length < BytesMax && await input.ReadAsync(one, cancel) == 1 && one[0] != '\n')
        {
            line.WriteByte(one[0]);
        }

        line.Position = 0;
        return line;
    }
}

using Sallyport.Server.Admin.Operations;

namespace Sallyport.Server.Admin.Dispatch;

/// <summary>An operation over JSON.</summary>
/// <param name="TakesContent">A file follows the first line of the input; it is read without awaiting.</param>
/// <param name="AnswerAsync">Reads the request, and answers; nothing has been written when it throws <see cref="AdminRefusedException"/>.</param>
public sealed record AdminEndpoint(bool TakesContent, Func<Stream, AdminCall, ValueTask<AdminReply>> AnswerAsync);

/// <param name="Next">Of a page with another behind it.</param>
/// <param name="WriteAsync">Writes the answer as JSON; of a stream each part on a line of its own, as it comes.</param>
public sealed record AdminReply(string? Next, Func<Stream, CancellationToken, Task> WriteAsync)
{
    public bool IsStream { get; init; }
}

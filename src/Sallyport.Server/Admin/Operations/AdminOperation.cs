using System.Text.Json.Serialization.Metadata;

namespace Sallyport.Server.Admin.Operations;

/// <summary>
/// One thing the door can do, said once: both ends, in the process and over the socket, are derived from it.
/// </summary>
/// <param name="Path">Below /v1/ on the admin socket, always POST: "users/add". It stays what it is.</param>
public sealed record AdminOperation<TRequest, TAnswer>(string Path, JsonTypeInfo<TRequest> Request, JsonTypeInfo<TAnswer> Answer)
    where TRequest : class
    where TAnswer : class;

/// <summary>The request of an operation that asks for nothing in particular.</summary>
public sealed record EmptyRequest
{
    public static EmptyRequest Instance { get; } = new();
}

/// <summary>What became of a change: done or not, and in words why.</summary>
public sealed record AdminAnswer(bool Done, string Message);

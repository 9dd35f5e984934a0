using System.Text.Json.Serialization.Metadata;

namespace Sallyport.Server.Admin.Operations;

/// <summary>
/// One thing the door can do, said once: both ends, in the process and over the socket, are derived from it.
/// </summary>
/// <param name="Path">Below /v1/ on the admin socket, always POST: "users/add". It stays what it is.</param>
public abstract record AdminOperation<TRequest>(string Path, JsonTypeInfo<TRequest> Request)
    where TRequest : class
{
    /// <summary>The least a caller must be.</summary>
    public AdminRole Role { get; init; } = AdminRole.Operator;

    /// <summary>It changes something, or sends something: it is logged with who asked for it, and a reader may not.</summary>
    public bool Changes { get; init; }

    /// <summary>
    /// Whom or what a request is about, for the log; where the role is <see cref="AdminRole.User"/> the login it is about, null when it is
    /// about more than one. Never a secret.
    /// </summary>
    public Func<TRequest, string?> About { get; init; } = static _ => null;
}

/// <summary>A question with one answer.</summary>
public sealed record AdminOperation<TRequest, TAnswer>(string Path, JsonTypeInfo<TRequest> Request, JsonTypeInfo<TAnswer> Answer)
    : AdminOperation<TRequest>(Path, Request)
    where TRequest : class
    where TAnswer : class;

/// <summary>A listing, a page at a time.</summary>
public sealed record AdminListing<TRequest, TItem>(string Path, JsonTypeInfo<TRequest> Request, JsonTypeInfo<TItem[]> Items)
    : AdminOperation<TRequest>(Path, Request)
    where TRequest : class, IPagedRequest<TRequest>
    where TItem : class;

/// <summary>Something that takes its time and tells of it: parts, as they come, the last of them with the result.</summary>
public sealed record AdminStream<TRequest, TPart>(string Path, JsonTypeInfo<TRequest> Request, JsonTypeInfo<TPart> Part)
    : AdminOperation<TRequest>(Path, Request)
    where TRequest : class
    where TPart : class
{
    /// <summary>A file comes with the request: over the socket the request is the first line of the body, the file the rest.</summary>
    public bool TakesContent { get; init; }
}

/// <summary>The request of an operation that asks for nothing in particular.</summary>
public sealed record EmptyRequest
{
    public static EmptyRequest Instance { get; } = new();
}

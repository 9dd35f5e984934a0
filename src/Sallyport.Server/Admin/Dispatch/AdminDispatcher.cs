using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Admin.Dispatch;

/// <summary>Who answers which operation; nobody is answered who may not ask.</summary>
/// <param name="log">Told of each change, with who asked for it.</param>
public sealed class AdminDispatcher(IMailLog log)
{
    private readonly Dictionary<string, object> _handlers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AdminEndpoint> _endpoints = new(StringComparer.Ordinal);

    /// <summary>The same over JSON, by path.</summary>
    public IReadOnlyDictionary<string, AdminEndpoint> Endpoints => _endpoints;

    public void On<TRequest, TAnswer>(AdminOperation<TRequest, TAnswer> operation, Func<TRequest, AdminCall, ValueTask<TAnswer>> handle)
        where TRequest : class
        where TAnswer : class
    {
        _handlers.Add(operation.Path, handle);
        _endpoints.Add(operation.Path, new(false, async (input, call) =>
        {
            var answer = await CallAsync(operation, await ReadAsync(input, operation.Request, call), call);
            return new(null, (output, cancel) => JsonSerializer.SerializeAsync(output, answer, operation.Answer, cancel));
        }));
    }

    public void On<TRequest, TItem>(AdminListing<TRequest, TItem> listing, Func<TRequest, AdminCall, ValueTask<AdminPage<TItem>>> handle)
        where TRequest : class, IPagedRequest<TRequest>
        where TItem : class
    {
        _handlers.Add(listing.Path, handle);
        _endpoints.Add(listing.Path, new(false, async (input, call) =>
        {
            var page = await PageAsync(listing, await ReadAsync(input, listing.Request, call), call);
            return new(page.Next, (output, cancel) => JsonSerializer.SerializeAsync(output, page.Items, listing.Items, cancel));
        }));
    }

    public void On<TRequest, TPart>(AdminStream<TRequest, TPart> stream, Func<TRequest, Stream, AdminCall, IAsyncEnumerable<TPart>> handle)
        where TRequest : class
        where TPart : class
    {
        _handlers.Add(stream.Path, handle);
        _endpoints.Add(stream.Path, new(stream.TakesContent, async (input, call) =>
        {
            var first = stream.TakesContent ? await FirstLine.ReadAsync(input, call.Cancel) : input;
            var parts = StreamAsync(stream, await ReadAsync(first, stream.Request, call), input, call);
            return new(null, (output, cancel) => WriteAsync(parts, stream, output, cancel)) { IsStream = true };
        }));
    }

    public async ValueTask<TAnswer> CallAsync<TRequest, TAnswer>(AdminOperation<TRequest, TAnswer> operation, TRequest request, AdminCall call)
        where TRequest : class
        where TAnswer : class
    {
        Access.Demand(operation, request, call.Caller);
        var answer = await Handler<Func<TRequest, AdminCall, ValueTask<TAnswer>>>(operation.Path)(request, call);
        Record(operation, request, call.Caller, answer as IAdminOutcome);
        return answer;
    }

    public ValueTask<AdminPage<TItem>> PageAsync<TRequest, TItem>(AdminListing<TRequest, TItem> listing, TRequest request, AdminCall call)
        where TRequest : class, IPagedRequest<TRequest>
        where TItem : class
    {
        Access.Demand(listing, request, call.Caller);
        return Handler<Func<TRequest, AdminCall, ValueTask<AdminPage<TItem>>>>(listing.Path)(request, call);
    }

    /// <exception cref="AdminRefusedException">At once, before the first part is asked for.</exception>
    public IAsyncEnumerable<TPart> StreamAsync<TRequest, TPart>(
        AdminStream<TRequest, TPart> stream, TRequest request, Stream content, AdminCall call)
        where TRequest : class
        where TPart : class
    {
        Access.Demand(stream, request, call.Caller);
        return FollowAsync(stream, request, call.Caller,
            Handler<Func<TRequest, Stream, AdminCall, IAsyncEnumerable<TPart>>>(stream.Path)(request, content, call), call.Cancel);
    }

    private async IAsyncEnumerable<TPart> FollowAsync<TRequest, TPart>(
        AdminOperation<TRequest> operation, TRequest request, AdminCaller caller, IAsyncEnumerable<TPart> parts,
        [EnumeratorCancellation] CancellationToken cancel)
        where TRequest : class
    {
        await foreach (var part in parts.WithCancellation(cancel))
        {
            Record(operation, request, caller, (part as IAdminProgress)?.Outcome);
            yield return part;
        }
    }

    private THandler Handler<THandler>(string path) => _handlers.TryGetValue(path, out var handler)
        ? (THandler)handler
        : throw new AdminRefusedException(new(false, AdminCodes.UnknownOperation, $"\"{path}\" needs an open store"));

    private void Record<TRequest>(AdminOperation<TRequest> operation, TRequest request, AdminCaller caller, IAdminOutcome? outcome)
        where TRequest : class
    {
        if (operation.Changes && outcome is { Done: true })
        {
            log.Write(new MailEvent.AdminChange(operation.Path, caller.Name, operation.About(request) ?? "", outcome.Code));
        }
    }

    private static async ValueTask<TRequest> ReadAsync<TRequest>(
        Stream input, JsonTypeInfo<TRequest> type, AdminCall call)
        where TRequest : class
    {
        TRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync(input, type, call.Cancel);
        }
        catch (JsonException)
        {
            request = null;
        }

        return request is not null && WholeRequest.Is(request, type) ? request
            : throw new AdminRefusedException(new(false, AdminCodes.InvalidRequest, "the request is not JSON, or lacks a member"));
    }

    private static async Task WriteAsync<TRequest, TPart>(
        IAsyncEnumerable<TPart> parts, AdminStream<TRequest, TPart> stream, Stream output, CancellationToken cancel)
        where TRequest : class
        where TPart : class
    {
        await foreach (var part in parts.WithCancellation(cancel))
        {
            await JsonSerializer.SerializeAsync(output, part, stream.Part, cancel);
            await output.WriteAsync("\n"u8.ToArray(), cancel);
            await output.FlushAsync(cancel);
        }
    }
}

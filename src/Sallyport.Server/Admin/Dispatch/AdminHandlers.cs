using System.Text.Json;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Server.Admin.Dispatch;

/// <summary>Who answers which operation.</summary>
public sealed class AdminHandlers
{
    private readonly Dictionary<string, object> _handlers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<Stream, Stream, CancellationToken, Task<bool>>> _overJson = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, Func<Stream, Stream, CancellationToken, Task<bool>>> OverJson => _overJson;

    public void On<TRequest, TAnswer>(
        AdminOperation<TRequest, TAnswer> operation, Func<TRequest, CancellationToken, ValueTask<TAnswer>> handle)
        where TRequest : class
        where TAnswer : class
    {
        _handlers.Add(operation.Path, handle);
        _overJson.Add(operation.Path, async (input, output, cancel) =>
        {
            TRequest? request;
            try
            {
                request = await JsonSerializer.DeserializeAsync(input, operation.Request, cancel);
            }
            catch (JsonException)
            {
                request = null;
            }

            if (request is null || !WholeRequest.Is(request, operation.Request))
            {
                return false;
            }

            await JsonSerializer.SerializeAsync(output, await handle(request, cancel), operation.Answer, cancel);
            return true;
        });
    }

    public ValueTask<TAnswer> CallAsync<TRequest, TAnswer>(
        AdminOperation<TRequest, TAnswer> operation, TRequest request, CancellationToken cancel)
        where TRequest : class
        where TAnswer : class =>
        ((Func<TRequest, CancellationToken, ValueTask<TAnswer>>)_handlers[operation.Path])(request, cancel);
}

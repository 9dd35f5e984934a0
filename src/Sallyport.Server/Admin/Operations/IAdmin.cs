namespace Sallyport.Server.Admin.Operations;

/// <summary>
/// The one door for whoever operates the server: the command line and later the web console. The running server serves it on its
/// admin socket; without one the command line opens the store itself and has the same door.
/// </summary>
public interface IAdmin : IAsyncDisposable
{
    /// <exception cref="AdminRefusedException">The caller may not, or the request is not one.</exception>
    ValueTask<TAnswer> CallAsync<TRequest, TAnswer>(AdminOperation<TRequest, TAnswer> operation, TRequest request, CancellationToken cancel)
        where TRequest : class
        where TAnswer : class;

    /// <exception cref="AdminRefusedException">The same.</exception>
    ValueTask<AdminPage<TItem>> PageAsync<TRequest, TItem>(AdminListing<TRequest, TItem> listing, TRequest request, CancellationToken cancel)
        where TRequest : class, IPagedRequest<TRequest>
        where TItem : class;

    /// <param name="content">The file that comes with the request, where the operation takes one; read to its end, and not disposed.</param>
    /// <exception cref="AdminRefusedException">The same, before the first part.</exception>
    IAsyncEnumerable<TPart> StreamAsync<TRequest, TPart>(
        AdminStream<TRequest, TPart> stream, TRequest request, Stream content, CancellationToken cancel)
        where TRequest : class
        where TPart : class;
}

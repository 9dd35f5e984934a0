namespace Sallyport.Server.Admin.Operations;

/// <summary>
/// The one door for whoever operates the server: the command line and later the web console. The running server serves it on its
/// admin socket; without one the command line opens the store itself and has the same door.
/// </summary>
public interface IAdmin : IAsyncDisposable
{
    ValueTask<TAnswer> CallAsync<TRequest, TAnswer>(AdminOperation<TRequest, TAnswer> operation, TRequest request, CancellationToken cancel)
        where TRequest : class
        where TAnswer : class;
}

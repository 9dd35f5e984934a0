namespace Sallyport.Server.Configuration;

/// <summary>
/// The options that hold now; a reload replaces them. For whoever outlives a reload: it reads them once for each decision, so that no
/// decision is made by two configurations.
/// </summary>
public interface IOptionsInForce
{
    ServerOptions Options { get; }
}

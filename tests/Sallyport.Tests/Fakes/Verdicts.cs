using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Tests.Fakes;

internal static class Verdicts
{
    /// <summary>What was granted, could not be said, or for which reason it was denied, in a word.</summary>
    public static string Name(LoginVerdict verdict) =>
        verdict is LoginVerdict.Denied denied ? denied.Reason.ToString() : verdict.GetType().Name;
}

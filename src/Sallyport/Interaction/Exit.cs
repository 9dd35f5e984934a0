namespace Sallyport.Interaction;

/// <summary>Exit codes; scripts rely on them.</summary>
internal static class Exit
{
    public const int Done = 0;
    public const int Failed = 1;

    /// <summary>Bad usage or configuration.</summary>
    public const int Usage = 2;
}

namespace Sallyport.Store.Sqlite;

/// <summary>The numbers of <see cref="RecipientState"/> as they stand in statements.</summary>
internal static class States
{
    public const string Due = "0";
    public const string InProgress = "1";
    public const string Held = "2";

    /// <summary>This one and all above it are final.</summary>
    public const string Relayed = "3";
}

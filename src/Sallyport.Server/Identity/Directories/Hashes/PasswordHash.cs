namespace Sallyport.Server.Identity.Directories.Hashes;

/// <summary>A stored password of any form we can check.</summary>
/// <param name="Form">Its name, for people.</param>
/// <param name="IsWeak">A thief of the file could try guesses fast: replaced by a verifier of our own at the first login.</param>
/// <param name="Matches">May take a while; in constant time where it matters.</param>
internal sealed record PasswordHash(string Form, bool IsWeak, Func<string, bool> Matches)
{
    /// <summary>Null for a form we do not know; the caller says so with the name of the entry, never with the text.</summary>
    public static PasswordHash? Parse(string text) =>
        DominoPassword.Parse(text) ?? CryptPassword.Parse(text) ?? SaltedShaPassword.Parse(text) ?? PbkdfPassword.Parse(text);

    public override string ToString() => Form;
}

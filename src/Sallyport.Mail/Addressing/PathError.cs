namespace Sallyport.Mail.Addressing;

/// <summary>Why octets are no path or mailbox.</summary>
public enum PathError
{
    None = 0,

    /// <summary>Not of the form &lt;local-part@domain&gt; (RFC 5321 §4.1.2).</summary>
    Syntax,

    /// <summary>A local part without "@domain".</summary>
    NoDomain,

    /// <summary>Local part over 64, domain over 255 or label over 63 octets (RFC 5321 §4.5.3.1).</summary>
    TooLong,

    /// <summary>A control character or invalid UTF-8.</summary>
    ForbiddenOctet,

    /// <summary>"=?" in the local part: some reader might decode it (RFC 2047) and see another address.</summary>
    EncodedWord,

    /// <summary>A letter or dot that is not ASCII but is taken for ASCII when addresses are compared, such as the Kelvin sign.</summary>
    LookAlike,
}

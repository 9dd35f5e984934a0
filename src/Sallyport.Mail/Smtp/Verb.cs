namespace Sallyport.Mail.Smtp;

/// <summary>The columns of the state table.</summary>
public enum Verb
{
    Ehlo,
    Helo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Noop,
    Vrfy,
    Help,
    Quit,
    Expn,
    Etrn,
    Unknown,
}

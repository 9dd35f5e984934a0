namespace Sallyport.Mail.Smtp;

/// <summary>Enhanced status code class.subject.detail (RFC 3463), as in 5.7.1.</summary>
public readonly record struct EnhancedCode(int Class, int Subject, int Detail)
{
    public override string ToString() => string.Create(
        System.Globalization.CultureInfo.InvariantCulture, $"{Class}.{Subject}.{Detail}");
}

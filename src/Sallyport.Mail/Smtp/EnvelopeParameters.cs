using System.Buffers;
using System.Text;
using Sallyport.Mail.Text;

namespace Sallyport.Mail.Smtp;

/// <summary>The esmtp-params behind a path (RFC 5321 §4.1.2): keyword[=value], blank between, each at most once.</summary>
internal static class EnvelopeParameters
{
    internal delegate Reply? Taker(string keyword, ReadOnlySpan<byte> value, bool hasValue);

    private const int KeywordLengthMax = 40;

    public static Reply? Read(ReadOnlySpan<byte> text, Taker take)
    {
        if (!text.IsEmpty && text[0] != ' ')
        {
            return Replies.BadParameters("A blank is missing behind the address");
        }

        var seen = new List<string>(4);
        foreach (var range in text.Split((byte)' '))
        {
            var parameter = text[range];
            if (parameter.IsEmpty)
            {
                continue;
            }

            var equals = parameter.IndexOf((byte)'=');
            var name = equals < 0 ? parameter : parameter[..equals];
            if (name.IsEmpty || name.Length > KeywordLengthMax || !Ascii.IsValid(name))
            {
                return Replies.BadParameters("A parameter has the form KEYWORD=value");
            }

            var keyword = Encoding.ASCII.GetString(name).ToUpperInvariant();
            if (seen.Contains(keyword))
            {
                return Replies.BadParameters("Parameter given twice: " + DisplayText.Sanitize(keyword));
            }

            seen.Add(keyword);
            var refusal = take(keyword, equals < 0 ? default : parameter[(equals + 1)..], equals >= 0);
            if (refusal is not null)
            {
                return refusal;
            }
        }

        return null;
    }
}

/// <summary>SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), RET and ENVID (RFC 3461), AUTH (RFC 4954 §5: taken, without effect).</summary>
internal sealed class MailParameters
{
    private const int EnvelopeIdMax = 100;

    public long DeclaredBytes { get; private set; }

    public BodyType Body { get; private set; }

    public bool SmtpUtf8 { get; private set; }

    public string? EnvelopeId { get; private set; }

    public DsnReturn? Return { get; private set; }

    public Reply? Take(string keyword, ReadOnlySpan<byte> value, bool hasValue) => keyword switch
    {
        "SIZE" => TakeSize(value),
        "BODY" => TakeBody(value),
        "SMTPUTF8" => TakeUtf8(hasValue),
        "RET" => TakeReturn(value),
        "ENVID" => TakeEnvelopeId(value),
        "AUTH" => Xtext.Decode(value) is null ? Replies.BadParameters("AUTH= is not valid xtext") : null,
        _ => Replies.UnknownParameter(keyword),
    };

    private Reply? TakeSize(ReadOnlySpan<byte> value)
    {
        const int DigitsMax = 20; // RFC 1870 §4
        if (value.Length is 0 or > DigitsMax || value.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return Replies.BadParameters("SIZE= needs a number of octets");
        }

        DeclaredBytes = long.TryParse(value, System.Globalization.NumberStyles.None,
            System.Globalization.CultureInfo.InvariantCulture, out var bytes) ? bytes : long.MaxValue;
        return null;
    }

    private Reply? TakeBody(ReadOnlySpan<byte> value)
    {
        if (!Ascii.EqualsIgnoreCase(value, "7BIT"u8) && !Ascii.EqualsIgnoreCase(value, "8BITMIME"u8))
        {
            return Replies.BadParameters("BODY= is 7BIT or 8BITMIME");
        }

        Body = value[0] == '8' ? BodyType.EightBitMime : BodyType.SevenBit;
        return null;
    }

    private Reply? TakeUtf8(bool hasValue)
    {
        SmtpUtf8 = true;
        return hasValue ? Replies.BadParameters("SMTPUTF8 takes no value") : null;
    }

    private Reply? TakeReturn(ReadOnlySpan<byte> value)
    {
        if (!Ascii.EqualsIgnoreCase(value, "FULL"u8) && !Ascii.EqualsIgnoreCase(value, "HDRS"u8))
        {
            return Replies.BadParameters("RET= is FULL or HDRS");
        }

        Return = value[0] is (byte)'F' or (byte)'f' ? DsnReturn.Full : DsnReturn.Headers;
        return null;
    }

    private Reply? TakeEnvelopeId(ReadOnlySpan<byte> value)
    {
        EnvelopeId = value.Length is > 0 and <= EnvelopeIdMax ? Xtext.Decode(value) : null;
        return EnvelopeId is null ? Replies.BadParameters("ENVID= is not valid xtext of at most 100 octets") : null;
    }
}

/// <summary>NOTIFY and ORCPT (RFC 3461 §4).</summary>
internal sealed class RcptParameters
{
    private const int OriginalRecipientMax = 500;

    /// <summary>Registered address types are rfc822, utf-8, x400 and their like: a next hop takes no special character there.</summary>
    private static readonly SearchValues<byte> AddressType =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"u8);

    public DsnNotify Notify { get; private set; }

    public string? OriginalRecipient { get; private set; }

    public Reply? Take(string keyword, ReadOnlySpan<byte> value, bool hasValue) => keyword switch
    {
        "NOTIFY" => TakeNotify(value),
        "ORCPT" => TakeOriginalRecipient(value),
        _ => Replies.UnknownParameter(keyword),
    };

    private Reply? TakeNotify(ReadOnlySpan<byte> value)
    {
        var all = DsnNotify.Unspecified;
        foreach (var range in value.Split((byte)','))
        {
            var one = value[range] switch
            {
                var v when Ascii.EqualsIgnoreCase(v, "NEVER"u8) => DsnNotify.Never,
                var v when Ascii.EqualsIgnoreCase(v, "SUCCESS"u8) => DsnNotify.Success,
                var v when Ascii.EqualsIgnoreCase(v, "FAILURE"u8) => DsnNotify.Failure,
                var v when Ascii.EqualsIgnoreCase(v, "DELAY"u8) => DsnNotify.Delay,
                _ => DsnNotify.Unspecified,
            };
            if (one == DsnNotify.Unspecified)
            {
                return Replies.BadParameters("NOTIFY= is NEVER, or a list of SUCCESS, FAILURE, DELAY");
            }

            all |= one;
        }

        Notify = all;
        return all.HasFlag(DsnNotify.Never) && all != DsnNotify.Never
            ? Replies.BadParameters("NOTIFY=NEVER stands alone")
            : null;
    }

    private Reply? TakeOriginalRecipient(ReadOnlySpan<byte> value)
    {
        var semicolon = value.IndexOf((byte)';');
        var address = semicolon > 0 && value.Length <= OriginalRecipientMax ? Xtext.Decode(value[(semicolon + 1)..]) : null;
        var type = semicolon > 0 ? value[..semicolon] : default;
        if (string.IsNullOrEmpty(address) || type.IsEmpty || type.ContainsAnyExcept(AddressType))
        {
            return Replies.BadParameters("ORCPT= is address-type;address in xtext");
        }

        OriginalRecipient = Encoding.ASCII.GetString(type) + ";" + address;
        return null;
    }
}

using Sallyport.Server.Identity.AppPasswords;
using Xunit;

namespace Sallyport.Tests.Server.Identity.AppPasswords;

public sealed class AppPasswordTextTests
{
    [Fact]
    public void What_is_shown_is_known_again_however_it_is_typed()
    {
        for (var i = 0; i < 200; i++)
        {
            var secret = AppPasswordText.Draw();
            var shown = AppPasswordText.Show(secret);
            Assert.Matches("^([0-9a-hjkmnp-tv-z]{4}-){5}[0-9a-hjkmnp-tv-z]{4}$", shown);
            string[] typed =
                [shown, secret, shown.ToUpperInvariant(), shown.Replace('-', ' '), " " + shown + " ", shown.Replace('0', 'O').Replace('1', 'l')];
            Assert.All(typed, text => Assert.Equal(secret, AppPasswordText.Parse(text)));
        }
    }

    [Fact]
    public void A_character_too_many_too_few_or_other_is_none_of_ours()
    {
        var shown = AppPasswordText.Show(AppPasswordText.Draw());
        Assert.Null(AppPasswordText.Parse(shown[..^1]));
        Assert.Null(AppPasswordText.Parse(shown + "0"));
        Assert.Null(AppPasswordText.Parse(shown[..^1] + "u"));
        Assert.Null(AppPasswordText.Parse(shown[..^1] + "\u212A")); // the kelvin sign is no k
        Assert.Null(AppPasswordText.Parse(shown + new string(' ', 64)));
        Assert.Null(AppPasswordText.Parse(""));
        Assert.Null(AppPasswordText.Parse("correct horse battery staple"));
        var other = (shown[0] == '7' ? '8' : '7') + shown[1..];
        Assert.Null(AppPasswordText.Parse(other)); // one in a million would pass, this one by its four last characters not
    }

    [Fact]
    public void No_two_app_passwords_are_the_same() =>
        Assert.Equal(1000, Enumerable.Range(0, 1000).Select(_ => AppPasswordText.Draw()).Distinct().Count());

    /// <summary>What devices have been given must be known for ever.</summary>
    [Fact]
    public void The_form_of_an_app_password_stays_what_it_is() => Assert.Equal(
        "0123456789abcdefghjk5rd6", AppPasswordText.Parse("0123-4567-89ab-cdef-ghjk-5rd6"));
}

using Sallyport.Mail.Text;
using Xunit;

namespace Sallyport.Tests.Mail.Text;

public sealed class DisplayTextTests
{
    [Fact]
    public void What_a_client_sent_is_shown_without_control_characters_and_cut()
    {
        Assert.Equal("a?b?c", DisplayText.Sanitize("a\rb\u2028c"));
        Assert.Equal(203, DisplayText.Sanitize(new string('x', 5000)).Length);
    }
}

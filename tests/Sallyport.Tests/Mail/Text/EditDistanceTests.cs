using Sallyport.Mail.Text;
using Xunit;

namespace Sallyport.Tests.Mail.Text;

public sealed class EditDistanceTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("", "abc", 3)]
    [InlineData("abc", "", 3)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("flaw", "lawn", 2)]
    [InlineData("same", "same", 0)]
    public void The_edit_distance_is_Levenshteins(string a, string b, int distance) => Assert.Equal(distance, EditDistance.Between(a, b));
}

using Sallyport.Server.Identity.Directories.Dovecot;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Dovecot;

public sealed class AuthLineTests
{
    [Theory]
    [InlineData("session=a\tb", "session=a\u0001tb")]
    [InlineData("x\nFAIL\t1", "x\u0001nFAIL\u0001t1")]
    [InlineData("x\r\0\u0001", "x\u0001r\u00010\u00011")]
    [InlineData("smörgås", "smörgås")]
    public void No_field_can_end_a_field_or_a_line(string field, string written)
    {
        var line = AuthLine.Write("AUTH", field);
        Assert.Equal($"AUTH\t{written}\n", line);
        Assert.Equal(["AUTH", field], AuthLine.Read(line[..^1]));
    }

    [Fact]
    public void Fields_of_an_answer_of_Dovecot_are_found_by_their_whole_name()
    {
        string[] fields = ["username=x", "user=anna", "temp", "reason="];
        Assert.Equal("anna", AuthLine.Find(fields, "user"));
        Assert.Equal("", AuthLine.Find(fields, "temp"));
        Assert.Equal("", AuthLine.Find(fields, "reason"));
        Assert.Null(AuthLine.Find(fields, "code"));
    }

    [Theory]
    [InlineData("OK\t1\tuser=anna", "Ok { User = anna, Last = , Proxied = False, NoLogin = False }")]
    [InlineData("OK\t1\tuser=anna\tproxy\thost=10.0.0.1", "Ok { User = anna, Last = , Proxied = True, NoLogin = False }")]
    [InlineData("OK\t1\tuser=anna\tnologin\treason=away", "Ok { User = anna, Last = , Proxied = False, NoLogin = True }")]
    [InlineData("OK\t1\tanonymous\tuser=anna", "Lost { Why = a success without a user }")]
    [InlineData("OK\t1", "Lost { Why = a success without a user }")]
    [InlineData("OK\t1\tuser=anna\tresp=?", "Lost { Why = a last challenge that is no base64 }")]
    [InlineData("CONT\t1\t!", "Lost { Why = a challenge that is no base64 }")]
    [InlineData("FAIL\t1\tuser=anna", "Fail { User = anna, Code = , Reason =  }")]
    [InlineData("FAIL\t1", "Fail { User = , Code = , Reason =  }")]
    [InlineData("FAIL\t1\ttemp", "Fail { User = , Code = temp, Reason =  }")]
    [InlineData("FAIL\t1\tcode=temp_fail\treason=a\u0001tb", "Fail { User = , Code = temp, Reason = a?b }")]
    [InlineData("FAIL\t1\tuser=anna\tuser_disabled", "Fail { User = anna, Code = user_disabled, Reason =  }")]
    [InlineData("FAIL\t1\tuser=anna\tcode=user_disabled", "Fail { User = anna, Code = user_disabled, Reason =  }")]
    [InlineData("FAIL\t1\tuser=anna\tpass_expired", "Fail { User = anna, Code = pass_expired, Reason =  }")]
    [InlineData("FAIL\t1\tauthz", "Fail { User = , Code = authz, Reason =  }")]
    public void Each_answer_of_Dovecot_is_read(string line, string reply) =>
        Assert.Equal(reply, AuthReply.Read(AuthLine.Read(line))?.Reply.ToString());

    [Theory]
    [InlineData("OK")]
    [InlineData("OK\tx\tuser=anna")]
    [InlineData("FAIL\t-1")]
    [InlineData("MECH\tPLAIN")]
    [InlineData("")]
    public void Lines_of_no_known_kind_are_no_answers_of_Dovecot(string line) => Assert.Null(AuthReply.Read(AuthLine.Read(line)));
}

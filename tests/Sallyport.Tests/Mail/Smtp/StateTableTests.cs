using Sallyport.Mail.Smtp;
using Sallyport.Tests.Tidy;
using Xunit;

namespace Sallyport.Tests.Mail.Smtp;

/// <summary>The state table: each command in each state, and the page that shows it.</summary>
public sealed class StateTableTests
{
    [Fact]
    public void The_manual_shows_the_table_that_is_compiled_in() =>
        Assert.Contains(SubmissionStateTable.ToMarkdown(), SourceTree.Read("docs/operating/state-table.md"), StringComparison.Ordinal);

    [Fact]
    public void The_manual_quotes_the_replies_that_depend_on_the_listener() => Assert.All(
        new[] { Replies.NeedsTls, Replies.AuthNeedsTls, Replies.AlreadyTls, Replies.NoStartTls },
        reply => Assert.Contains($"`{reply}`", SourceTree.Read("docs/operating/state-table.md"), StringComparison.Ordinal));

    [Fact]
    public void Nothing_of_a_transaction_is_done_before_the_login()
    {
        foreach (var state in new[] { SessionState.Greeted, SessionState.Identified })
        {
            Assert.All(new[] { Verb.Mail, Verb.Rcpt, Verb.Data, Verb.Bdat },
                verb => Assert.Equal(Cell.Login, SubmissionStateTable.Find(state, verb)));
        }
    }

    [Fact]
    public void Each_refusal_is_a_permanent_reply_with_an_enhanced_code()
    {
        foreach (var cell in Enum.GetValues<Cell>().Where(cell => cell != Cell.Allowed))
        {
            Assert.True(SubmissionStateTable.Refusal(cell).IsPermanent);
            Assert.Equal(5, SubmissionStateTable.Refusal(cell).Enhanced?.Class);
        }
    }
}

using System.Text;

namespace Sallyport.Mail.Smtp;

/// <summary>What a command meets in a state: it is allowed, or refused with one of these.</summary>
public enum Cell
{
    Allowed,
    Hello,
    Login,
    Tls,
    AlreadyAuthenticated,
    Busy,
    Nested,
    Mail,
    Rcpt,
    Chunk,
    NotImplemented,
    Unknown,
}

/// <summary>
/// The whole conversation on one screen. A command not marked "do" is answered with the refusal named, and changes nothing.
/// STARTTLS and AUTH marked "do" still look at the listener: whether TLS is offered, active or demanded.
/// </summary>
public static class SubmissionStateTable
{
    private const string Table = """
                          EHLO HELO STARTTLS AUTH  MAIL   RCPT  DATA  BDAT  RSET NOOP VRFY HELP QUIT EXPN ETRN UNKNOWN
        Greeted           do   do   hello    hello login  login login login do   do   do   do   do   no   no   what
        Identified        do   do   do       do    login  login login login do   do   do   do   do   no   no   what
        Authenticated     do   do   do       again do     mail  mail  mail  do   do   do   do   do   no   no   what
        InTransaction     do   do   busy     busy  nested do    rcpt  rcpt  do   do   do   do   do   no   no   what
        HasRecipients     do   do   busy     busy  nested do    do    do    do   do   do   do   do   no   no   what
        ReceivingChunks   do   do   busy     busy  nested chunk chunk do    do   do   do   do   do   no   no   what
        """;

    private static readonly Cell[,] Cells = Read();

    public static Cell Find(SessionState state, Verb verb) => Cells[(int)state, (int)verb];

    public static Reply Refusal(Cell cell) => cell switch
    {
        Cell.Hello => Replies.NeedsHello,
        Cell.Login => Replies.NeedsLogin,
        Cell.Tls => Replies.NeedsTls,
        Cell.AlreadyAuthenticated => Replies.AlreadyLoggedIn,
        Cell.Busy => Replies.InTransaction,
        Cell.Nested => Replies.NestedMail,
        Cell.Mail => Replies.NeedsMail,
        Cell.Rcpt => Replies.NeedsRecipient,
        Cell.Chunk => Replies.InChunks,
        Cell.NotImplemented => Replies.NotImplemented,
        _ => Replies.UnknownCommand,
    };

    /// <summary>The table for docs/operating/state-table.md.</summary>
    public static string ToMarkdown()
    {
        var verbs = Enum.GetValues<Verb>();
        var text = new StringBuilder("| State |");
        text.AppendJoin("", verbs.Select(verb => $" {verb.ToString().ToUpperInvariant()} |")).Append("\n| --- |");
        text.AppendJoin("", verbs.Select(_ => " --- |")).Append('\n');
        foreach (var state in Enum.GetValues<SessionState>())
        {
            text.Append("| ").Append(state).Append(" |");
            text.AppendJoin("", verbs.Select(verb => $" {Show(Find(state, verb))} |")).Append('\n');
        }

        return text.ToString();
    }

    private static string Show(Cell cell) =>
        cell == Cell.Allowed ? "✓" : $"{Refusal(cell).Code} {Refusal(cell).Enhanced} {Refusal(cell).Lines[0]}";

    private static Cell[,] Read()
    {
        var lines = Table.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var verbs = Words(lines[0]).Select(word => Enum.Parse<Verb>(word, ignoreCase: true)).ToArray();
        var cells = new Cell[lines.Length - 1, verbs.Length];
        foreach (var words in lines.Skip(1).Select(Words))
        {
            for (var i = 0; i < verbs.Length; i++)
            {
                cells[(int)Enum.Parse<SessionState>(words[0]), (int)verbs[i]] = CellOf(words[i + 1]);
            }
        }

        return cells;
    }

    /// <summary>Short words, so that the table fits on one screen.</summary>
    private static Cell CellOf(string word) => word switch
    {
        "do" => Cell.Allowed,
        "again" => Cell.AlreadyAuthenticated,
        "no" => Cell.NotImplemented,
        "what" => Cell.Unknown,
        _ => Enum.Parse<Cell>(word, ignoreCase: true),
    };

    private static string[] Words(string line) => line.Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries);
}

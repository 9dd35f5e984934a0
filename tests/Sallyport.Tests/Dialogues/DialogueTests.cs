using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Dialogues;

/// <summary>Each dialogue of this folder, with the client's octets arriving in three ways that must make no difference.</summary>
public sealed class DialogueTests
{
    public enum Arrival
    {
        /// <summary>All that is sent before an answer is awaited.</summary>
        Together,

        LineByLine,

        OctetByOctet,
    }

    public static TheoryData<string, Arrival> Rows()
    {
        var rows = new TheoryData<string, Arrival>();
        foreach (var name in Dialogue.Names)
        {
            rows.Add(name, Arrival.Together);
            if (!Dialogue.Read(name).Setting.TogetherOnly)
            {
                rows.Add(name, Arrival.LineByLine);
                rows.Add(name, Arrival.OctetByOctet);
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void The_dialogue_is_answered_as_written(string name, Arrival arrival)
    {
        var dialogue = Dialogue.Read(name);
        using var player = Play(dialogue, arrival);
        Assert.Equal(Replies(dialogue.Exchanges), player.Output.Select((reply, i) => Shortened(reply, Replies(dialogue.Exchanges), i)));
        if (dialogue.Kept.Count > 0)
        {
            Assert.Equal(dialogue.Kept, player.Kept);
        }
    }

    [Fact]
    public void Every_command_is_tried_in_every_state()
    {
        var met = Dialogue.Names.SelectMany(Met).ToHashSet();
        var cells = Enum.GetValues<SessionState>().SelectMany(state => Enum.GetValues<Verb>().Select(verb => (State: state, Verb: verb)));
        Assert.Equal([], cells.Where(cell => !met.Contains(cell)));
    }

    [Fact]
    public void A_wrong_answer_in_a_dialogue_would_be_noticed()
    {
        var dialogue = Dialogue.Read("greeted");
        dialogue.Exchanges[0].Expected[^1] = "250 2.0.0 Something else";
        using var player = Play(dialogue, Arrival.Together);
        Assert.NotEqual(Replies(dialogue.Exchanges), player.Output.Select((reply, i) => Shortened(reply, Replies(dialogue.Exchanges), i)));
    }

    private static DialoguePlayer Play(Dialogue dialogue, Arrival arrival)
    {
        var player = new DialoguePlayer(dialogue.Setting);
        for (var i = 0; i < dialogue.Exchanges.Count; i++)
        {
            var exchange = dialogue.Exchanges[i];
            if (exchange.BeginsTls)
            {
                player.HandshakeDone();
            }

            IEnumerable<byte[]> pieces = arrival switch
            {
                Arrival.Together => [exchange.Sent.SelectMany(line => line).ToArray()],
                Arrival.LineByLine => exchange.Sent,
                _ => exchange.Sent.SelectMany(line => line).Select(octet => new[] { octet }),
            };
            foreach (var piece in pieces)
            {
                player.Feed(piece);
            }

            // Answers come when they are due, not merely in the right order.
            Assert.Equal(Replies(dialogue.Exchanges.Take(i + 1)).Count, player.Output.Count);
        }

        return player;
    }

    private static List<(SessionState State, Verb Verb)> Met(string name)
    {
        using var player = Play(Dialogue.Read(name), Arrival.Together);
        return player.Met;
    }

    /// <summary>"250-" lines belong to the reply that the next "250 " line ends.</summary>
    private static List<string> Replies(IEnumerable<Exchange> exchanges)
    {
        var replies = new List<string>();
        var open = "";
        foreach (var line in exchanges.SelectMany(exchange => exchange.Expected))
        {
            open += line;
            if (line.Length > 3 && line[3] == '-' && !line.EndsWith(" ...", StringComparison.Ordinal))
            {
                open += "\n";
                continue;
            }

            replies.Add(open);
            open = "";
        }

        return replies;
    }

    /// <summary>The reply, cut down to what a row ending in " ..." says of it.</summary>
    private static string Shortened(string reply, List<string> expected, int i) =>
        i < expected.Count && expected[i].EndsWith(" ...", StringComparison.Ordinal) && reply.StartsWith(expected[i][..^4], StringComparison.Ordinal)
            ? expected[i]
            : reply;
}

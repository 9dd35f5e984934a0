using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.RegularExpressions;
using Sallyport.Mail.Text;

namespace Sallyport.Interaction;

/// <summary>Mistakes on the command line, in words of ours.</summary>
internal static partial class UsageErrors
{
    private const int GuessDistanceMax = 3;

    public static IEnumerable<string> Explain(ParseResult parsed)
    {
        var errors = parsed.Errors.Select(error => Explain(error.Message, parsed.CommandResult)).Distinct().ToList();
        return errors.Count > 1 ? errors.Where(error => error != NoCommand(parsed.CommandResult)) : errors;
    }

    /// <summary>A whole number within bounds.</summary>
    public static Option<int> Number(string name, string description, int otherwise, int least, int most) => new(name)
    {
        Description = $"{description}; from {least} to {most}",
        DefaultValueFactory = _ => otherwise,
        HelpName = "N",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            {
                return number;
            }

            result.AddError($"{name} must be a whole number from {least} to {most}, not \"{text}\"");
            return otherwise;
        },
    };

    private static string Explain(string message, CommandResult command)
    {
        if (message.StartsWith("Required command", StringComparison.Ordinal))
        {
            return NoCommand(command);
        }

        if (message.StartsWith("Required argument missing for command", StringComparison.Ordinal))
        {
            var missing = command.Command.Arguments.Select(argument => argument.Name.ToUpperInvariant());
            return $"`{NameOf(command)}` needs {string.Join(" and ", missing)}";
        }

        var name = Quoted().Match(message).Groups[1].Value;
        return message switch
        {
            _ when message.StartsWith("Unrecognized command or argument", StringComparison.Ordinal) =>
                $"{What(name, command.Command)} \"{name}\"" + Guess(name, command),
            _ when message.StartsWith("Required argument missing for option", StringComparison.Ordinal) => $"{name} needs a value behind it",
            _ when message.Contains("is required", StringComparison.Ordinal) => $"{name} is missing",
            _ when message.Contains("expects a single argument", StringComparison.Ordinal) => $"{name} may be given only once",
            _ => message,
        };
    }

    private static string What(string typed, Command command) => typed.StartsWith('-') ? "unknown option"
        : command.Subcommands.Count > 0 ? "unknown command" : "unexpected argument";

    private static string NoCommand(CommandResult command) =>
        $"`{NameOf(command)}` needs a command: {string.Join(", ", command.Command.Subcommands.Select(sub => sub.Name))}";

    private static string NameOf(CommandResult command)
    {
        var names = new List<string>();
        for (SymbolResult? at = command; at is CommandResult { Command: var one }; at = at.Parent)
        {
            names.Insert(0, one is RootCommand ? "sallyport" : one.Name);
        }

        return string.Join(' ', names);
    }

    private static string Guess(string typed, CommandResult command)
    {
        var nearest = command.Command.Subcommands.Select(sub => sub.Name).Concat(command.Command.Options.Select(option => option.Name))
            .MinBy(word => EditDistance.Between(word, typed));
        return nearest is not null && typed.Length is > 1 and < 40
            && EditDistance.Between(nearest, typed) <= Math.Min(GuessDistanceMax, nearest.Length / 2)
            ? $"; did you mean \"{nearest}\"?"
            : "";
    }

    [GeneratedRegex("'([^']*)'")]
    private static partial Regex Quoted();
}

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Cli;

/// <summary>Options and arguments with the checks that all of them have in common.</summary>
internal static class Words
{
    /// <summary>A text.</summary>
    public static Option<string?> Text(string name, string value, string description, bool isRequired = false) =>
        WithValue(new Option<string?>(name), value, description, isRequired);

    /// <summary>A text that may be given more than once.</summary>
    public static Option<string[]> Texts(string name, string value, string description)
    {
        var option = WithValue(new Option<string[]>(name), value, description, false);
        option.Arity = ArgumentArity.OneOrMore;
        return option;
    }

    /// <summary>One of a few words.</summary>
    public static Option<string?> OneOf(string name, string description, string[] words, bool isRequired = false) =>
        Parsed<string?>(
            name,
            string.Join('|', words),
            description,
            text => words.Contains(text) ? (text, null) : (null, $"{name} is {string.Join(", ", words[..^1])} or {words[^1]}, and not {text}"),
            isRequired
        );

    /// <summary>A whole number from 1.</summary>
    public static Option<int?> Number(string name, string description, bool isRequired = false) =>
        Parsed<int?>(
            name,
            "N",
            description,
            text =>
                int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
                    ? (number, null)
                    : (null, $"{name} is a number from 1"),
            isRequired
        );

    /// <summary>An amount.</summary>
    public static Option<decimal?> Amount(string name, string value, string description) =>
        Parsed<decimal?>(
            name,
            value,
            description,
            text =>
                decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                    ? (number, null)
                    : (null, $"{name} is a number")
        );

    /// <summary>A moment.</summary>
    public static Option<DateTime?> Time(string name, string description) =>
        Parsed<DateTime?>(
            name,
            "T",
            description,
            text =>
                DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
                    ? (time.UtcDateTime, null)
                    : (null, $"{name} is a time such as 2026-12-24T18:00:00Z")
        );

    /// <summary>What is there or not; never <c>--dry-run false</c>.</summary>
    public static Option<bool> Flag(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.Zero };

    /// <summary>Which database is meant.</summary>
    public static Option<string?> Database() =>
        Parsed<string?>(
            "--database",
            "URL",
            "the owner's address of the database; default: the configured one, or the private one of --data",
            // What was given is not repeated: it may hold a password.
            text =>
                ConnectionStrings.IsAddress(text)
                    ? (text, null)
                    : (null, "--database is an address such as postgres://OWNER:PASSWORD@HOST:5432/NAME; leave it out for the configured database")
        );

    /// <summary>What a verb is about.</summary>
    public static Argument<T> About<T>(string name, string description)
    {
        Argument<T> argument = new(name) { Description = description };
        argument.Validators.Add(result => Refuse(result, result.Tokens.Any(token => token.Value.StartsWith('-')), name));
        return argument;
    }

    private static Option<T?> Parsed<T>(string name, string value, string description, Func<string, (T? Value, string? Fault)> parse, bool isRequired = false)
    {
        Option<T?> option = new(name)
        {
            CustomParser = result =>
            {
                var (parsed, fault) = parse(result.Tokens[0].Value);
                if (fault is not null)
                {
                    result.AddError(fault);
                }
                return parsed;
            },
        };
        return WithValue(option, value, description, isRequired);
    }

    private static Option<T> WithValue<T>(Option<T> option, string value, string description, bool isRequired)
    {
        (option.HelpName, option.Description, option.Required, option.Arity) = (value, description, isRequired, ArgumentArity.ExactlyOne);
        // The next option is no value of this one.
        option.Validators.Add(result =>
            Refuse(result, result.Tokens.Any(token => token.Value.Length == 0 || token.Value.StartsWith("--", StringComparison.Ordinal)), option.Name)
        );
        return option;
    }

    private static void Refuse(SymbolResult result, bool isWrong, string name)
    {
        if (isWrong)
        {
            result.AddError($"{name} needs a value");
        }
    }
}

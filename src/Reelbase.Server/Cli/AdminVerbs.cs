using System.CommandLine;
using System.CommandLine.Parsing;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Cli;

/// <summary>Makes the verbs of <c>admin</c>: whatever goes wrong is said in one line, and the database is the one that <c>--database</c> or the configuration names.</summary>
internal sealed class AdminVerbs
{
    /// <summary>Stands at <c>admin</c> and counts for each of its verbs.</summary>
    public Option<string?> Database { get; } = MakeDatabase();

    /// <summary>A verb that works without the database, or opens it in its own way.</summary>
    public static Command New(string name, string description, Func<WebApplicationBuilder, ParseResult, Task<int>> act, params Symbol[] words) =>
        Make(
            name,
            description,
            // Stands at admin for the others: whoever names a database here means one that this verb would not use.
            (builder, result) =>
                result.GetResult("--database") is OptionResult { Implicit: false }
                    ? Task.FromException<int>(new UsageException($"admin {name} takes no --database: it is about the configured installation (--data)"))
                    : act(builder, result),
            words
        );

    private static Command Make(string name, string description, Func<WebApplicationBuilder, ParseResult, Task<int>> act, params Symbol[] words)
    {
        Command verb = new(name, description);
        foreach (var word in words)
        {
            if (word is Argument argument)
            {
                verb.Add(argument);
            }
            else
            {
                verb.Add((Option)word);
            }
        }
        verb.SetAction(
            async (result, _) =>
            {
                try
                {
                    return await act(Installation.NewBuilder([]), result);
                }
                catch (Exception error) when (Installation.IsForTheOperator(error))
                {
                    await Console.Error.WriteLineAsync($"admin: {error.Message}");
                    return UsageException.CodeOf(error);
                }
            }
        );
        return verb;
    }

    /// <summary>A verb on the database.</summary>
    public Command OnDatabase(string name, string description, Func<WebApplicationBuilder, AdminDatabase, ParseResult, Task<int>> act, params Symbol[] words) =>
        Make(name, description, (builder, result) => WithDatabaseAsync(builder, result.GetValue(Database), database => act(builder, database, result)), words);

    private static Option<string?> MakeDatabase()
    {
        var option = Words.Database();
        option.Recursive = true;
        return option;
    }

    private static async Task<int> WithDatabaseAsync(WebApplicationBuilder builder, string? given, Func<AdminDatabase, Task<int>> act)
    {
        var options = Installation.DatabaseOptionsOf(builder);
        if (Installation.HasAdminAddressOnly(builder, given))
        {
            await using var database = new AdminDatabase(ConnectionStrings.From(options, null));
            return await act(database);
        }
        return await Installation.WithOwnerAsync(
            builder,
            given,
            async owner =>
            {
                if (given is not null)
                {
                    // Addresses of roles are about the configured database, and not about another one that was named.
                    options = new() { ConnectTimeoutSeconds = options.ConnectTimeoutSeconds, CommandTimeoutSeconds = options.CommandTimeoutSeconds };
                }
                await using var database = new AdminDatabase(ConnectionStrings.From(options, owner));
                return await act(database);
            },
            mustExist: true
        );
    }
}

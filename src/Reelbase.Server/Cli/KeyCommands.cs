using System.CommandLine;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Cli;

/// <summary>Keys and addresses for programs of an operator's own.</summary>
internal static class KeyCommands
{
    /// <summary>The verbs.</summary>
    public static IEnumerable<Command> New() =>
        [
            AdminVerbs.New("database-url", "print the owner's address of the database, for psql", (builder, _) => PrintDatabaseUrlAsync(builder)),
            AdminVerbs.New(
                "keys",
                "print the key that apps carry and the one for servers of your own (it is a secret)",
                (builder, _) => Task.FromResult(PrintKeys(builder))
            ),
            AdminVerbs.New("anon-key", "print the key that apps carry", (builder, _) => Task.FromResult(PrintAnonKey(builder))),
        ];

    private static async Task<int> PrintDatabaseUrlAsync(WebApplicationBuilder builder)
    {
        Installation.RequireInstallation(builder);
        var (url, cluster) = await Installation.OwnerAsync(builder);
        if (cluster is { WasRunning: false })
        {
            await cluster.StopAsync(CancellationToken.None);
            throw new InvalidOperationException("the private PostgreSQL runs while Reelbase runs: start that first");
        }
        Console.WriteLine(ConnectionStrings.ToUrl(url));
        return 0;
    }

    private static int PrintAnonKey(WebApplicationBuilder builder)
    {
        using var tokens = AdminUserCommands.NewTokens(builder);
        Console.WriteLine(tokens.CreateAnonKey());
        return 0;
    }

    private static int PrintKeys(WebApplicationBuilder builder)
    {
        using var tokens = AdminUserCommands.NewTokens(builder);
        Console.WriteLine($"Anon key: {tokens.CreateAnonKey()}");
        Console.WriteLine($"Service key: {tokens.CreateServiceKey()}");
        return 0;
    }
}

using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server;

/// <summary><c>version [--database URL]</c>: which program this is, and what the database and its nodes are, where there is one that runs.</summary>
internal static class VersionCommand
{
    /// <summary>Runs the verb.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        if (Commands.FindWrongWord(args, ["--database"], []) is { } wrong)
        {
            await Console.Error.WriteLineAsync($"version: {wrong}");
            return 2;
        }
        Console.WriteLine(ProgramVersion.Line);
        try
        {
            var builder = Commands.NewBuilder([]);
            var options = Commands.DatabaseOptionsOf(builder);
            var strings =
                Commands.HasAdminAddressOnly(builder, args) ? ConnectionStrings.From(options, null)
                : await FindOwnerAsync(builder, args, options) is { } owner
                    ? ConnectionStrings.From(new() { ConnectTimeoutSeconds = options.ConnectTimeoutSeconds }, owner)
                : null;
            if (strings is not null)
            {
                await using var database = new AdminDatabase(strings);
                foreach (var node in await database.ListAsync<NodeVersion>("select * from list_nodes()", CancellationToken.None))
                {
                    Console.WriteLine(
                        $"Node {node.Name} ({string.Join(", ", node.Roles)}): Reelbase {node.Version}, commit {Or(node.CommitId)}, schema {Or(node.Schema)}, {(node.IsAlive ? "alive" : "gone")}"
                    );
                }
            }
        }
        catch (Exception error) when (Commands.IsForTheOperator(error))
        {
            await Console.Error.WriteLineAsync($"version: the database cannot be asked for its nodes: {error.Message}");
        }
        return 0;
    }

    /// <summary>The database as far as it runs already; nothing is started to be asked.</summary>
    private static async Task<string?> FindOwnerAsync(WebApplicationBuilder builder, string[] args, DatabaseOptions options)
    {
        if (Commands.Value(args, "--database") is { } given)
        {
            await Commands.WarnOfPasswordAsync(given);
            return ConnectionStrings.Normalize(given);
        }
        return options.ConnectionString is { Length: > 0 } own
            ? ConnectionStrings.Normalize(own)
            : await PrivateCluster.FindRunningAsync(Commands.PrivateHome(builder), CancellationToken.None);
    }

    private static string Or(string text) => text.Length > 0 ? text : "unknown";

    private sealed class NodeVersion
    {
        public string Name { get; init; } = "";
        public string Version { get; init; } = "";
        public string CommitId { get; init; } = "";
        public string Schema { get; init; } = "";
        public string[] Roles { get; init; } = [];
        public bool IsAlive { get; init; }
    }
}

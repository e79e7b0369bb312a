using System.CommandLine;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Cli;

/// <summary><c>version [--database URL]</c>: which program this is, and what the database and its nodes are, where there is one that runs.</summary>
internal static class VersionCommand
{
    /// <summary>The verb.</summary>
    public static Command New()
    {
        var database = Words.Database();
        Command verb = new("version", "which program this is, and which the nodes are") { database };
        verb.Aliases.Add("--version");
        verb.SetAction((result, _) => RunAsync(result.GetValue(database)));
        return verb;
    }

    private static async Task<int> RunAsync(string? given)
    {
        Console.WriteLine(ProgramVersion.Line);
        try
        {
            var builder = Installation.NewBuilder([]);
            var options = Installation.DatabaseOptionsOf(builder);
            var strings =
                Installation.HasAdminAddressOnly(builder, given) ? ConnectionStrings.From(options, null)
                : await FindOwnerAsync(builder, given, options) is { } owner
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
        catch (Exception error) when (Installation.IsForTheOperator(error))
        {
            await Console.Error.WriteLineAsync($"version: the database cannot be asked for its nodes: {error.Message}");
        }
        return 0;
    }

    /// <summary>The database as far as it runs already; nothing is started to be asked.</summary>
    private static async Task<string?> FindOwnerAsync(WebApplicationBuilder builder, string? given, DatabaseOptions options)
    {
        if (given is not null)
        {
            await Installation.WarnOfPasswordAsync(given);
            return ConnectionStrings.Normalize(given);
        }
        return options.ConnectionString is { Length: > 0 } own
            ? ConnectionStrings.Normalize(own)
            : await PrivateCluster.FindRunningAsync(Installation.PrivateHome(builder), CancellationToken.None);
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

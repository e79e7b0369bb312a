using Npgsql;

namespace Reelbase.Bench.Speed;

/// <summary>The flow that a team would write by hand, on Node: two processes, each call of its own, in a schema beside ours (bench/peer).</summary>
public sealed class Peer : IDisposable
{
    private const int Count = 2;
    private readonly List<ChildServer> _servers;

    private Peer(List<ChildServer> servers) => _servers = servers;

    public IReadOnlyList<int> Ports => [.. _servers.Select(server => server.Port)];
    public IReadOnlyList<int> Processes => [.. _servers.Select(server => server.ProcessId)];

    /// <summary>Null, and said, where it has not been built (no Node).</summary>
    public static async Task<Peer?> StartAsync(Stage stage)
    {
        var program = Repository.PathOf("bench", "peer", "dist", "server.js");
        if (!File.Exists(program))
        {
            System.Console.Error.WriteLine("Left out: the peer on Node, which is not built (./reelbase bench builds it where npm is)");
            return null;
        }
        await stage.ExecuteAsync(await File.ReadAllTextAsync(Repository.PathOf("bench", "peer", "schema.sql")));
        var to = new NpgsqlConnectionStringBuilder(stage.Owner);
        var address = $"postgres://{Uri.EscapeDataString(to.Username!)}:{Uri.EscapeDataString(to.Password ?? "")}@{to.Host}:{to.Port}/{to.Database}";
        var servers = new List<ChildServer>();
        for (var number = 0; number < Count; number++)
        {
            servers.Add(
                await ChildServer.StartAsync("node", [program], new Dictionary<string, string> { ["PEER_DATABASE"] = address, ["NODE_ENV"] = "production" })
            );
        }
        return new(servers);
    }

    /// <inheritdoc/>
    public void Dispose() => _servers.ForEach(server => server.Dispose());
}

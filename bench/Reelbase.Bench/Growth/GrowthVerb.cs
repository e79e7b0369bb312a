using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Reelbase.Bench.Console;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Bench.Growth;

/// <summary><c>bench growth</c>: the same requests on a past that grows, in one database that is filled further for each size.</summary>
public static class GrowthVerb
{
    private const double MaxRatio = 1.3;
    private const int AskingUsers = GrowthRequest.Samples + GrowthRequest.Warmups;
    private static readonly int[] DefaultJobs = [10_000, 1_000_000, 10_000_000];

    /// <summary>Runs it; answers the exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var sizes = Sizes(args);
        var home = Path.Combine(Path.GetTempPath(), "reelbase-growth-" + Guid.NewGuid().ToString("N")[..8]);
        var settings = new Dictionary<string, string>
        {
            ["fsync"] = "off",
            ["shared_buffers"] = "1GB",
            ["max_wal_size"] = "16GB",
            ["jit"] = "off",
        };
        var cluster = await PrivateCluster.StartAsync(home, null, settings, CancellationToken.None);
        try
        {
            await new Migrator(cluster.ConnectionString, NullLogger.Instance).RunAsync(false, CancellationToken.None);
            var measured = new List<(int Jobs, string Size, List<GrowthCost> Costs)>();
            var filled = 0;
            foreach (var jobs in sizes)
            {
                var users = jobs / GrowthData.JobsPerUser;
                await ConsoleSeed.FillUsersAsync(cluster.ConnectionString, filled + 1, users, System.Console.Error);
                filled = users;
                measured.Add(await MeasureAsync(cluster.ConnectionString, jobs, users));
            }
            var (text, isGood) = Report(measured);
            System.Console.WriteLine(text);
            if (args.Contains("--record"))
            {
                await File.WriteAllTextAsync(Repository.PathOf("bench", "growth.md"), text);
            }
            return isGood ? 0 : 1;
        }
        finally
        {
            NpgsqlConnection.ClearAllPools();
            await cluster.StopAsync(CancellationToken.None);
            Directory.Delete(home, recursive: true);
        }
    }

    private static int[] Sizes(string[] args) =>
        Array.IndexOf(args, "--jobs") is var at and >= 0 && at + 1 < args.Length
            ? [.. args[at + 1].Split(',').Select(size => Math.Clamp(int.Parse(size, CultureInfo.InvariantCulture), 1000, 50_000_000)).Order()]
            : DefaultJobs;

    private static async Task<(int Jobs, string Size, List<GrowthCost> Costs)> MeasureAsync(string owner, int jobs, int users)
    {
        System.Console.Error.WriteLine($"==> Measuring on {jobs} jobs");
        await using var connection = new NpgsqlConnection(owner);
        await connection.OpenAsync();
        await GrowthData.PrepareAsync(connection, [.. Enumerable.Range(0, AskingUsers).Select(asking => 2 + (int)((users - 2L) * asking / AskingUsers))]);
        await using var vacuum = new NpgsqlCommand("vacuum analyze", connection) { CommandTimeout = 3600 };
        await vacuum.ExecuteNonQueryAsync();
        await using var size = new NpgsqlCommand("select pg_size_pretty(pg_database_size(current_database()))", connection);
        var bytes = (string)(await size.ExecuteScalarAsync())!;
        var costs = new List<GrowthCost>();
        foreach (var request in GrowthRequest.All)
        {
            costs.Add(await request.MeasureAsync(connection, users));
        }
        return (jobs, bytes, costs);
    }

    private static (string Text, bool IsGood) Report(List<(int Jobs, string Size, List<GrowthCost> Costs)> measured)
    {
        var text = new StringBuilder(
            $"""
            # The same requests on a past that grows

            Written by `./reelbase bench growth --jobs {string.Join(
                ',',
                measured.Select(each => each.Jobs)
            )} --record`, {Environment.ProcessorCount} cores. For each size: pages of 8 kB that PostgreSQL touches and milliseconds that it takes, medians of requests of
            users all over the past, each rolled back. Pages do not depend on what else the machine does. No more than {MaxRatio} times the pages of the smallest are allowed. Beside the past a thousand jobs wait.


            """
        );
        text.Append("| request |").AppendJoin('|', measured.Select(each => $" {each.Jobs:N0} jobs, {each.Size} ")).Append("| pages, last to first |\n|---|");
        text.Append(string.Concat(measured.Select(_ => "---:|"))).Append("---:|\n");
        var isGood = true;
        for (var at = 0; at < GrowthRequest.All.Count; at++)
        {
            var ratio = measured[^1].Costs[at].Pages / measured[0].Costs[at].Pages;
            isGood &= ratio <= MaxRatio;
            text.Append(CultureInfo.InvariantCulture, $"| {GrowthRequest.All[at].Name} |");
            foreach (var (_, _, costs) in measured)
            {
                text.Append(CultureInfo.InvariantCulture, $" {costs[at].Pages:0} pages, {costs[at].Milliseconds:0.00} ms |");
            }
            text.Append(CultureInfo.InvariantCulture, $" {ratio:0.00}{(ratio <= MaxRatio ? "" : " **missed**")} |\n");
        }
        return (text.ToString(), isGood);
    }
}

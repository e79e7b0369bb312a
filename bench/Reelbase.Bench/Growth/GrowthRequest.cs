using System.Text.Json;
using Npgsql;
using Reelbase.Bench.Console;

namespace Reelbase.Bench.Growth;

/// <summary>What one kind of request costs PostgreSQL: the medians of pages of 8 kB touched (in memory or on disk) and of milliseconds.</summary>
public sealed record GrowthCost(double Pages, double Milliseconds);

/// <summary>A request that is measured at each size: who asks and the statement, for the user of a number.</summary>
public sealed record GrowthRequest(string Name, string Role, Func<int, string> Sql, bool IsAdmins = false)
{
    internal const int Samples = 60;
    internal const int Warmups = 10;
    private const string Limits = """'{"guest": null,"member": 100000,"premium": 100000,"guest_ip": null,"window_seconds": 3600}'""";
    private const string Press =
        """'{"model_id":"a0000000-0000-4000-8000-000000000001","theme_id":null,"prompt":"A paper boat on a quiet lake","settings":{"duration":8},"image_url":null}'""";

    /// <summary>The requests of apps, of workers and of the console's page of one job.</summary>
    public static IReadOnlyList<GrowthRequest> All { get; } =
    [
        new("accept (`generate_video`)", "authenticated", _ => $"select * from generate_video(gen_random_uuid(), {Press}, '127.0.0.1', {Limits}, 1800)"),
        new("status of a finished job (`get_video_status`)", "authenticated", user => $"select * from get_video_status('{GrowthData.JobOf(user)}')"),
        new("the user's videos (`get_video_jobs`)", "authenticated", _ => "select * from get_video_jobs(20, 0, null, null, null)"),
        new("claim of four jobs (`claim_video_jobs`)", "reelbase_worker", _ => $"select * from claim_video_jobs('growth/1', 60, 4, '{GrowthData.ClaimRules}')"),
        new(
            "the console's page of one job (`admin_get_job`)",
            "authenticated",
            user => $$"""select admin_get_job('{"job_id":"{{GrowthData.JobOf(user)}}"}')""",
            true
        ),
        new(
            "the console's page of one user (`admin_get_user`)",
            "authenticated",
            user => $$"""select admin_get_user('{"user_id":"{{ConsoleSeed.UserId(user)}}"}')""",
            true
        ),
    ];

    /// <summary>Asks for users all over the past, each in a transaction that is rolled back.</summary>
    public async Task<GrowthCost> MeasureAsync(NpgsqlConnection connection, int users)
    {
        var (pages, times) = (new List<double>(), new List<double>());
        for (var sample = 0; sample < Samples + Warmups; sample++)
        {
            var user = 2 + (int)((users - 2L) * sample / (Samples + Warmups));
            await using var transaction = await connection.BeginTransactionAsync();
            await RunAsync(connection, $"set local role {Role}; select set_config('request.jwt.claims', '{GrowthData.Claims(IsAdmins ? 1 : user)}', true)");
            await using var explain = new NpgsqlCommand($"explain (analyze, buffers, timing off, format json) {Sql(user)}", connection);
            using var plan = JsonDocument.Parse((string)(await explain.ExecuteScalarAsync())!);
            await transaction.RollbackAsync();
            if (sample < Warmups)
            {
                continue;
            }
            var root = plan.RootElement[0].GetProperty("Plan");
            pages.Add(root.GetProperty("Shared Hit Blocks").GetInt64() + root.GetProperty("Shared Read Blocks").GetInt64());
            times.Add(plan.RootElement[0].GetProperty("Execution Time").GetDouble());
        }
        return new(Median(pages), Median(times));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}

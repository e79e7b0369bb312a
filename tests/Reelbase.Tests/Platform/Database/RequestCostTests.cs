using System.Text.Json;
using Npgsql;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>
/// What a press and a request for a finished job cost the database, in what does not depend on the machine: statements, pages and bytes of log, as
/// PostgreSQL counts them. The bounds are a little above what was measured; whoever goes beyond one has made every request dearer.
/// </summary>
public sealed class RequestCostTests
{
    /// <summary>A page that is full, a checkpoint or a plan that is made anew makes one try dearer, never cheaper.</summary>
    private const int Tries = 12;

    /// <summary>After so many calls a connection has kept the plan of each statement.</summary>
    private const int Before = 8;

    private const string User = "00000000-0000-4000-8000-000000100001";
    private const string Session = "00000000-0000-4000-8001-000000100001";
    private const string Job = "00000000-0000-7000-8002-000000100001";

    [Theory]
    // Of each user's history there is nothing yet, or everybody's.
    [InlineData(0)]
    [InlineData(3000)]
    public async Task A_press_takes_no_more_statements_pages_and_bytes_of_log_than_it_did(int others)
    {
        await using var connection = await FilledAsync(others);
        var cost = await CountAsync(
            connection,
            $$"""
            select status_code from generate_video(gen_random_uuid(), '{"model_id":"{{Catalog.FastModel}}","theme_id":null,"prompt":"A paper boat on a quiet lake","settings":{"duration":8},"image_url":null}',
              '127.0.0.1', '{"guest":null,"member":20,"premium":100,"guest_ip":null,"window_seconds":3600}', 1800)
            """,
            "generate_video"
        );
        Assert.InRange(cost.Statements, 10, 17);
        Assert.InRange(cost.Pages, 40, 175);
        Assert.InRange(cost.LogRecords, 10, 29);
        Assert.InRange(cost.LogBytes, 1000, 3000);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3000)]
    public async Task A_look_at_a_finished_job_takes_no_more_statements_and_pages_than_it_did(int others)
    {
        await using var connection = await FilledAsync(others);
        var cost = await CountAsync(connection, $"select status from find_job_status('{{{User}}}', '{{{Session}}}', '{{{Job}}}', '{{}}')", "find_job_status");
        Assert.InRange(cost.Statements, 2, 2);
        Assert.InRange(cost.Pages, 4, 12);
        Assert.Equal(0, cost.LogBytes);
    }

    /// <summary>The cheapest of some tries.</summary>
    private static async Task<Cost> CountAsync(NpgsqlConnection connection, string sql, string function)
    {
        await RunAsync(
            connection,
            """
            load 'auto_explain';
            set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on;
            set auto_explain.log_format = json; set auto_explain.log_timing = off; set auto_explain.log_buffers = on; set auto_explain.log_wal = on;
            set jit = off; set client_min_messages = log
            """
        );
        await RunAsync(
            connection,
            $$"""select set_config('request.jwt.claims', '{"sub":"{{User}}","session_id":"{{Session}}","role":"authenticated"}', false)"""
        );
        await using var command = new NpgsqlCommand(sql, connection);
        await command.PrepareAsync();
        var plans = new List<string>();
        connection.Notice += (_, notice) =>
        {
            if (notice.Notice.MessageText.IndexOf("plan:", StringComparison.Ordinal) is >= 0 and var at)
            {
                plans.Add(notice.Notice.MessageText[(at + 5)..]);
            }
        };
        var tries = new List<Cost>();
        for (var number = 0; number < Before + Tries; number++)
        {
            plans.Clear();
            Assert.NotNull(await command.ExecuteScalarAsync());
            if (number >= Before)
            {
                tries.Add(Read(plans, function));
            }
        }
        return new(tries.Min(cost => cost.Statements), tries.Min(cost => cost.Pages), tries.Min(cost => cost.LogRecords), tries.Min(cost => cost.LogBytes));
    }

    /// <summary>Each statement within, and the checks of the commit, has a plan of its own; the pages of all are those of the call itself.</summary>
    private static Cost Read(List<string> plans, string function)
    {
        foreach (var text in plans)
        {
            using var document = JsonDocument.Parse(text);
            var plan = document.RootElement.GetProperty("Plan");
            if (plan.TryGetProperty("Function Name", out var name) && name.GetString() == function)
            {
                return new(
                    plans.Count,
                    plan.GetProperty("Shared Hit Blocks").GetInt64() + plan.GetProperty("Shared Read Blocks").GetInt64(),
                    plan.GetProperty("WAL Records").GetInt64(),
                    plan.GetProperty("WAL Bytes").GetInt64()
                );
            }
        }
        throw new InvalidOperationException($"no plan of {function} among {plans.Count}");
    }

    /// <summary>A database with one user who asks, and as many others with a history of their own.</summary>
    private static async Task<NpgsqlConnection> FilledAsync(int others)
    {
        var connection = new NpgsqlConnection(await TestCluster.CloneAsync());
        await connection.OpenAsync();
        await RunAsync(
            connection,
            $"""
            insert into users (id, is_guest) select ('00000000-0000-4000-8000-000000' || n)::uuid, true from generate_series(100001, {100_001 + others}) n;
            select count(write_ledger(id, 1000000, 'initial_grant')) from users where id::text like '00000000-0000-4000-8000-000000%';
            insert into sessions (id, user_id) select ('00000000-0000-4000-8001-000000' || n)::uuid, ('00000000-0000-4000-8000-000000' || n)::uuid from generate_series(100001, {100_001
                + others}) n;
            insert into video_jobs (job_id, user_id, model_id, model_name, prompt, status, stage, video_url, credits_used, completed_at)
            select ('00000000-0000-7000-8002-000000' || n)::uuid, ('00000000-0000-4000-8000-000000' || n)::uuid, '{Catalog.FastModel}', 'A model', 'A paper boat', 'completed', 'finished', 'a/b.mp4', 8, now()
            from generate_series(100001, {100_001 + others}) n
            """
        );
        if (others > 0)
        {
            await RunAsync(connection, "analyze");
        }
        return connection;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private sealed record Cost(int Statements, long Pages, long LogRecords, long LogBytes);
}

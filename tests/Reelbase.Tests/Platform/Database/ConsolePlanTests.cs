using System.Text.Json;
using Npgsql;
using Reelbase.Bench.Console;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>
/// What the console asks stays cheap however large the tables are: on a smaller copy of the measured past (<c>bench console</c>) no statement has
/// to read a whole large table, and none throws away many of the rows that it reads.
/// </summary>
public sealed class ConsolePlanTests
{
    private const int Users = 3000;

    /// <summary>A filter without an index of its own is applied over at most 20,000 rows, by design; these are the queries that do it.</summary>
    private static readonly string[] Bounded = ["environment", "inbox", "error_code", "status"];
    private const int MaxDiscardedRows = Users / 3;

    /// <summary>The queries at one thing, planned as on any database: with what the planner would choose by itself.</summary>
    private static readonly string[] One = ["admin-get-job", "admin-get-trace"];
    private const int MaxRowsOfOne = 100;

    private static readonly string[] Large =
    [
        "users",
        "video_jobs",
        "quota_log",
        "purchases",
        "sessions",
        "device_checks",
        "error_log",
        "webhook_deliveries",
        "push_notifications",
        "job_submissions",
        "storage_objects",
        "admin_actions",
        "rate_limit_log",
        "user_consents",
        "idempotency_log",
    ];

    [Fact]
    public async Task No_query_of_the_console_reads_a_whole_large_table()
    {
        var owner = await TestCluster.CloneAsync();
        await ConsoleSeed.FillAsync(owner, Users, TextWriter.Null);
        await using var connection = new NpgsqlConnection(owner);
        await connection.OpenAsync();
        var session = Guid.NewGuid();
        await RunAsync(connection, $"insert into sessions (id, user_id, method) values ('{session}', '{ConsoleSeed.UserId(1)}', 'admin')");
        var job = await ValueAsync(connection, $"select job_id::text from video_jobs where user_id = '{ConsoleSeed.UserId(Users / 2)}' limit 1");
        var trace = await ValueAsync(connection, $"select substr(trace_parent, 4, 32) from video_jobs where job_id = '{job}'");
        // A plan that has an index to use uses it then; what is still a scan would be one on any size.
        await RunAsync(
            connection,
            """
            load 'auto_explain';
            set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on;
            set auto_explain.log_format = json; set auto_explain.log_timing = off;
            set client_min_messages = log; set jit = off
            """
        );
        var plans = new List<string>();
        connection.Notice += (_, notice) =>
        {
            if (notice.Notice.MessageText.Contains("plan:", StringComparison.Ordinal))
            {
                plans.Add(notice.Notice.MessageText[(notice.Notice.MessageText.IndexOf("plan:", StringComparison.Ordinal) + 5)..]);
            }
        };
        var admin = ConsoleQueries.Admin(session);
        var wrong = new List<string>();
        var seen = 0;
        // Those first, while every statement is planned for what it is asked.
        foreach (var query in ConsoleQueries.All(Users, job, trace).OrderByDescending(query => One.Contains(query.Operation)))
        {
            var isOne = One.Contains(query.Operation);
            await RunAsync(connection, $"set enable_seqscan = {(isOne ? "on" : "off")}");
            plans.Clear();
            await using var transaction = await connection.BeginTransactionAsync();
            await ValueAsync(connection, $"select set_config('role', 'authenticated', true), set_config('request.jwt.claims', '{admin.Claims}', true)");
            await ValueAsync(
                connection,
                $"select {query.Operation.Replace('-', '_')}('{query.Request.ToJsonString().Replace("'", "''", StringComparison.Ordinal)}'::jsonb)::text"
            );
            await transaction.RollbackAsync();
            foreach (var plan in plans)
            {
                seen++;
                using var document = JsonDocument.Parse(plan);
                if (isOne)
                {
                    Count(document.RootElement.GetProperty("Plan"), query.Name, wrong);
                    continue;
                }
                Walk(document.RootElement.GetProperty("Plan"), query.Name, wrong);
            }
        }
        Assert.True(seen > 100, $"only {seen} plans were seen");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Distinct()));
    }

    private static void Walk(JsonElement node, string query, List<string> wrong)
    {
        var table = node.TryGetProperty("Relation Name", out var relation) ? relation.GetString() : null;
        if (node.GetProperty("Node Type").GetString() == "Seq Scan" && Large.Contains(table))
        {
            wrong.Add($"{query}: reads all of {table}");
        }
        if (
            node.TryGetProperty("Rows Removed by Filter", out var removed)
            && removed.GetDouble() * node.GetProperty("Actual Loops").GetDouble() > MaxDiscardedRows
            && !Bounded.Any(query.Contains)
        )
        {
            wrong.Add($"{query}: throws away {removed} rows of {table}");
        }
        if (node.TryGetProperty("Plans", out var parts))
        {
            foreach (var part in parts.EnumerateArray())
            {
                Walk(part, query, wrong);
            }
        }
    }

    /// <summary>What one job or one trace is made of is a handful of rows; whoever meets more of a table reads all of it on a large database.</summary>
    private static void Count(JsonElement node, string query, List<string> wrong)
    {
        if (node.TryGetProperty("Relation Name", out var relation) && Large.Contains(relation.GetString()))
        {
            var removed = node.TryGetProperty("Rows Removed by Filter", out var filtered) ? filtered.GetDouble() : 0;
            var read = (node.GetProperty("Actual Rows").GetDouble() + removed) * node.GetProperty("Actual Loops").GetDouble();
            if (read > MaxRowsOfOne)
            {
                wrong.Add($"{query}: reads {read} rows of {relation}");
            }
        }
        if (node.TryGetProperty("Plans", out var parts))
        {
            foreach (var part in parts.EnumerateArray())
            {
                Count(part, query, wrong);
            }
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string> ValueAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}

using System.Globalization;
using System.Text.Json;
using Npgsql;
using Reelbase.Bench.Console;

namespace Reelbase.Bench.Growth;

/// <summary>The past that growth is measured on: that of the console's bench, and a thousand jobs that wait.</summary>
public static class GrowthData
{
    /// <summary>Jobs of each user in the past.</summary>
    public const int JobsPerUser = 5;

    /// <summary>What a worker says of itself when it claims.</summary>
    public const string ClaimRules = """{"fal": {"concurrency": 100000}, "*": {"room": {"settle": 16}, "reads_model_rows": true}}""";

    private const int Waiting = 1000;
    private static readonly Dictionary<int, string> Jobs = [];

    /// <summary>A finished job of a user, read before.</summary>
    public static string JobOf(int user) => Jobs[user];

    /// <summary>What the server sends to the database about a caller.</summary>
    public static string Claims(int user) =>
        JsonSerializer.Serialize(
            new
            {
                sub = ConsoleSeed.UserId(user),
                role = "authenticated",
                session_id = SessionOf(user),
            }
        );

    /// <summary>Sessions, credits and waiting jobs for the users that ask at one size, and the ids of their jobs.</summary>
    public static async Task PrepareAsync(NpgsqlConnection connection, IReadOnlyList<int> users)
    {
        await RunAsync(connection, "update users set is_admin = true, email = 'bench@support.example' where id = $1", Guid.Parse(ConsoleSeed.UserId(1)));
        foreach (var user in users.Prepend(1).Distinct())
        {
            await RunAsync(
                connection,
                "insert into sessions (id, user_id, method) values ($1, $2, $3) on conflict do nothing",
                Guid.Parse(SessionOf(user)),
                Guid.Parse(ConsoleSeed.UserId(user)),
                user == 1 ? "admin" : "anonymous"
            );
        }
        foreach (var user in users)
        {
            await RunAsync(connection, "select add_credits($1, 1000, 'admin_adjustment')", Guid.Parse(ConsoleSeed.UserId(user)));
            await using var job = new NpgsqlCommand(
                "select job_id::text from video_jobs where user_id = $1 and status = 'completed' order by created_at limit 1",
                connection
            );
            job.Parameters.AddWithValue(Guid.Parse(ConsoleSeed.UserId(user)));
            Jobs[user] = (string)(await job.ExecuteScalarAsync())!;
        }
        for (var waiting = 0; waiting < Waiting; waiting++)
        {
            var user = users[waiting % users.Count];
            await using var transaction = await connection.BeginTransactionAsync();
            await RunAsync(connection, "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)", Claims(user));
            await RunAsync(connection, GrowthRequest.All[0].Sql(user));
            await transaction.CommitAsync();
        }
    }

    private static string SessionOf(int user) => string.Create(CultureInfo.InvariantCulture, $"00000000-0000-4000-8001-{user:x12}");

    private static async Task RunAsync(NpgsqlConnection connection, string sql, params object[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 600 };
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new() { Value = parameter });
        }
        await command.ExecuteNonQueryAsync();
    }
}

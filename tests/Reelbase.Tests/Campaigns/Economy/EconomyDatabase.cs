using System.Globalization;
using Npgsql;
using Reelbase.Tests.Campaigns.Economy.Mutations;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>Who a call runs as: a role, and the claims of a caller.</summary>
public sealed record Actor(string Role, string Claims)
{
    public static readonly Actor Api = new("reelbase_api", "");
    public static readonly Actor Worker = new("reelbase_worker", "");
    public static readonly Actor Owner = new("none", "");

    public static Actor Caller(Guid user, Guid session) => new("authenticated", $$"""{"sub":"{{user}}","role":"authenticated","session_id":"{{session}}"}""");
}

/// <summary>What a call came to: its rows or its error, and the economy after it.</summary>
public sealed record Outcome(string? Error, string? Detail, IReadOnlyList<object?[]> Rows, Snapshot Snapshot)
{
    public bool Is(string code) => Error == code;

    public object? Value => Rows is [[var value, ..], ..] ? value : null;
}

/// <summary>What may be seen of the economy behind the scenes: one line for each row, fields parted by bars.</summary>
public sealed record Snapshot(string Users, string Jobs, string Ledger, string Purchases, string Grants)
{
    public static IEnumerable<string[]> Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('|'));
}

/// <summary>
/// One connection to a migrated database of its own: what workers claim would otherwise be another history's. Each call is one transaction
/// as its role, whose deferred constraints are checked before what it did is read, all in one round trip.
/// </summary>
public sealed class EconomyDatabase : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;

    private EconomyDatabase(string owner) =>
        _connection = new(owner + ";Pooling=false;Max Auto Prepare=200;Auto Prepare Min Usages=2;Include Error Detail=true");

    public Guid Admin { get; private set; }
    public Guid AdminSession { get; } = Guid.NewGuid();
    public Actor Support => Actor.Caller(Admin, AdminSession);

    /// <summary>Commands that were sent, for the figures.</summary>
    public long Calls { get; private set; }

    /// <param name="mutation">A fault that is put back.</param>
    public static async Task<EconomyDatabase> CreateAsync(Mutation? mutation = null)
    {
        var owner = await TestCluster.CloneAsync();
        var database = new EconomyDatabase(owner);
        await database._connection.OpenAsync();
        if (mutation is not null)
        {
            await mutation.ApplyAsync(database);
        }
        await database.RunAsync(
            SnapshotFunction(
                await database.ScalarAsync<string>(
                    "select coalesce(string_agg('j.' || column_name, ',' order by column_name), '') from information_schema.columns where table_name = 'video_jobs' and column_name in ('charged', 'returned', 'credits_charged', 'credits_returned')"
                )
            )
        );
        database.Admin = Guid.NewGuid();
        await database.RunAsync(
            $"""
            insert into users (id, email, is_guest, is_admin) values ('{database.Admin}', 'support@example.com', false, true);
            insert into sessions (id, user_id, method) values ('{database.AdminSession}', '{database.Admin}', 'admin');
            insert into products (product_id, credits, grants_tier) values ('premium.100', 100, 'premium');
            """
        );
        return database;
    }

    /// <summary>One transaction as a role.</summary>
    public async Task<Outcome> CallAsync(Actor actor, World world, string sql, params object?[] args)
    {
        Calls++;
        try
        {
            await using var batch = _connection.CreateBatch();
            Add(batch, "select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)", actor.Role, actor.Claims);
            Add(batch, sql, args);
            Add(batch, "select set_config('role', 'none', true)");
            Add(batch, "set constraints all immediate");
            AddSnapshot(batch, world);
            await using var reader = await batch.ExecuteReaderAsync();
            var rows = new List<object?[]>();
            // What has no rows (an update, "set constraints") has no result of its own.
            if (!sql.StartsWith("update", StringComparison.Ordinal))
            {
                await reader.NextResultAsync();
                while (await reader.ReadAsync())
                {
                    var values = new object[reader.FieldCount];
                    reader.GetValues(values);
                    rows.Add(Array.ConvertAll(values, value => value is DBNull ? null : value));
                }
            }
            await reader.NextResultAsync();
            await reader.NextResultAsync();
            return new(null, null, rows, await ReadSnapshotAsync(reader));
        }
        catch (PostgresException error)
        {
            return new(
                error.SqlState == "RB001" ? error.MessageText : error.SqlState,
                $"{error.MessageText} {error.Hint} {error.Where}",
                [],
                await SnapshotAsync(world)
            );
        }
    }

    /// <summary>The economy as it is committed.</summary>
    public async Task<Snapshot> SnapshotAsync(World world)
    {
        await using var batch = _connection.CreateBatch();
        AddSnapshot(batch, world);
        await using var reader = await batch.ExecuteReaderAsync();
        return await ReadSnapshotAsync(reader);
    }

    /// <summary>Takes away what other histories left: a shrunk one stands alone.</summary>
    public async Task EmptyAsync() =>
        await RunAsync(
            """
            set session_replication_role = replica;
            delete from quota_log;
            delete from purchases;
            delete from device_grants;
            delete from idempotency_log;
            delete from webhook_deliveries;
            delete from job_submissions;
            delete from video_jobs;
            update users set credits_remaining = 0 where credits_remaining <> 0;
            update installation_leases set leased_by = null, lease_until = null;
            set session_replication_role = origin
            """
        );

    /// <summary>Ends what a history leaves open, so that the next one is not given its grants.</summary>
    public async Task RestAsync(World world)
    {
        if (world.Phones.Count > 0 || world.Turns.Count > 0)
        {
            await RunAsync(
                """
                update device_grants set stage = 'abandoned', decided_at = now(), device_token = null, leased_by = null, lease_until = null where decided_at is null;
                update installation_leases set leased_by = null, lease_until = null
                """
            );
        }
    }

    /// <summary>Statements as the owner.</summary>
    public async Task RunAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _connection) { CommandTimeout = TestCluster.PatienceSeconds };
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        var name = _connection.Database;
        await _connection.DisposeAsync();
        // A campaign uses up hundreds of them.
        await TestCluster.ExecuteAsync(TestCluster.Owner("postgres"), $"drop database if exists {name} with (force)");
    }

    private static void AddSnapshot(NpgsqlBatch batch, World world) =>
        Add(batch, "select * from economy.snapshot($1, $2, $3)", world.UserIds, world.LastSeq, world.TransactionIds);

    private static async Task<Snapshot> ReadSnapshotAsync(NpgsqlDataReader reader)
    {
        await reader.ReadAsync();
        return new(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetString(4));
    }

    private static void Add(NpgsqlBatch batch, string sql, params object?[] args)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var arg in args)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = arg ?? DBNull.Value });
        }
        batch.BatchCommands.Add(command);
    }

    private static string SnapshotFunction(string charges) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"""
            create schema economy;
            create function economy.snapshot(p_users uuid[], p_since bigint, p_transactions text[],
              out o_users text, out o_jobs text, out o_ledger text, out o_purchases text, out o_grants text)
            language plpgsql as $$
            begin
              select coalesce(string_agg(concat_ws('|', u.id, u.credits_remaining, u.credits_total, u.tier, u.banned_at is not null, u.deleted_at is not null,
                coalesce(u.merged_into::text, ''), u.initial_grant_claimed), e'\n'), '') into o_users from users u where u.id = any (p_users);
              select coalesce(string_agg(concat_ws('|', j.job_id, j.user_id, j.status, j.stage, j.attempt, coalesce(j.leased_by, ''), j.deleted_at is not null,
                j.credits_used, {(charges.Length > 0 ? charges : "'', ''")}), e'\n'), '') into o_jobs from video_jobs j where j.user_id = any (p_users);
              select coalesce(string_agg(concat_ws('|', q.seq, q.user_id, q.change, q.reason, coalesce(q.job_id::text, ''), q.balance_after,
                coalesce(q.transaction_id, '')), e'\n' order by q.seq), '') into o_ledger from quota_log q where q.user_id = any (p_users) and q.seq > p_since;
              select coalesce(string_agg(concat_ws('|', p.environment, p.transaction_id, coalesce(p.user_id::text, ''), p.credits, p.credited_at is not null,
                p.credits_taken_back, p.revoked_percentage), e'\n'), '') into o_purchases
              from purchases p where p.environment in ('Production', 'Sandbox') and p.transaction_id = any (p_transactions);
              select coalesce(string_agg(concat_ws('|', g.id, g.user_id, g.stage, coalesce(g.leased_by, '')), e'\n'), '') into o_grants
              from device_grants g where g.user_id = any (p_users);
            end
            $$;
            """
        );
}

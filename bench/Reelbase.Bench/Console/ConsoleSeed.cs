using System.Globalization;
using Npgsql;

namespace Reelbase.Bench.Console;

/// <summary>
/// A past for the console to be measured on: users, five jobs and ten ledger rows each, purchases, devices, sessions, errors, webhooks and
/// what admins did. Every ledger adds up. Written by the owner with triggers off, since a year cannot be lived through in minutes.
/// </summary>
public static class ConsoleSeed
{
    private const int JobsPerUser = 5;
    private const int LedgerRowsPerUser = 10;
    private const int BatchUsers = 50_000;

    /// <summary>Fills a migrated database.</summary>
    public static async Task FillAsync(string owner, int users, TextWriter progress)
    {
        await FillUsersAsync(owner, 1, users, progress);
        await using var connection = new NpgsqlConnection(owner);
        await connection.OpenAsync();
        await RunAsync(connection, "set session_replication_role = replica; set synchronous_commit = off");
        foreach (var sql in Rest)
        {
            await RunAsync(connection, sql.Replace("USERS", users.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        }
        await progress.WriteLineAsync("==> Counting the hours and analyzing tables");
        await RunAsync(connection, "set session_replication_role = origin");
        // A month at a time, as the server does.
        for (var month = 0; month < 15; month++)
        {
            await RunAsync(connection, "select count_hours(24 * 31)");
        }
        await RunAsync(connection, "vacuum analyze");
    }

    /// <summary>The users of a range of numbers with their jobs, ledger, purchases, devices and sessions. What a constraint does not need of indexes is made at the end, which takes a third of the time.</summary>
    public static async Task FillUsersAsync(string owner, int first, int last, TextWriter progress)
    {
        await using var connection = new NpgsqlConnection(owner);
        await connection.OpenAsync();
        await RunAsync(connection, "set session_replication_role = replica; set synchronous_commit = off; set maintenance_work_mem = '512MB'");
        var indexes = await IndexesAsync(connection);
        foreach (var (name, _) in indexes)
        {
            await RunAsync(connection, $"drop index {name}");
        }
        for (var from = first; from <= last; from += BatchUsers)
        {
            var to = Math.Min(last, from + BatchUsers - 1);
            foreach (var sql in Batches)
            {
                await RunAsync(
                    connection,
                    sql.Replace("FROM", from.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
                        .Replace("TO_", to.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
                );
            }
            await progress.WriteLineAsync($"==> {to} of {last} users");
        }
        foreach (var (name, definition) in indexes)
        {
            await progress.WriteLineAsync($"==> Index {name}");
            await RunAsync(connection, definition);
        }
        await RunAsync(connection, "vacuum analyze");
    }

    /// <summary>The indexes of the tables that are filled, but for the constraints' and those by which the batches find their rows.</summary>
    private static async Task<List<(string Name, string Definition)>> IndexesAsync(NpgsqlConnection connection)
    {
        var found = new List<(string, string)>();
        await using var command = new NpgsqlCommand(
            """
            select i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) from pg_index i
            where i.indrelid in ('users'::regclass, 'video_jobs'::regclass, 'quota_log'::regclass, 'purchases'::regclass, 'device_checks'::regclass, 'sessions'::regclass)
              and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
              and not (i.indrelid = 'video_jobs'::regclass and pg_get_indexdef(i.indexrelid) like '%(user_id%')
            order by 1
            """,
            connection
        );
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            found.Add((reader.GetString(0), reader.GetString(1)));
        }
        return found;
    }

    /// <summary>The id of a seeded user.</summary>
    public static string UserId(int number) => $"00000000-0000-4000-8000-{number:x12}";

    private static readonly string[] Batches =
    [
        // Users over a year.
        """
            insert into users (id, email, device_id, is_guest, credits_remaining, credits_total, initial_grant_claimed, created_at)
            select ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, case when n % 3 = 0 then 'person' || n || '@mail.example' end,
              ('11111111-0000-4000-8000-' || lpad(to_hex(n), 12, '0')), n % 3 <> 0, 9, 14, true, now() - interval '365 days' + n * (interval '365 days' / 1000000)
            from generate_series(FROM, TO_) n
            """,
        $"""
            insert into video_jobs (job_id, user_id, model_id, model_name, prompt, settings, status, stage, credits_used, error_code, error_message, provider,
              provider_job_id, created_at, submitted_at, completed_at, run_after, deadline_at, attempt, trace_parent)
            select job_id, user_id, 'a0000000-0000-4000-8000-000000000001', 'Veo 3.1 Fast', 'A seeded prompt of some length, number ' || n || ', job ' || k, '{"{}"}',
              case when (n + k) % 9 = 0 then 'failed' else 'completed' end, 'finished', 1, case when (n + k) % 9 = 0 then 'ERR_500' || 1 + (n % 4) end,
              case when (n + k) % 9 = 0 then 'It failed.' end, case n % 10 when 0 then 'runway' when 1 then 'pika' else 'fal' end,
              'p-' || n || '-' || k, at, at, at + interval '40 seconds', at, at + interval '15 minutes', 1,
              '00-' || md5(n::text || k) || '-0000000000000001-01'
            from (select n, k, u.id as user_id, at,
                (left(lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0'), 8) || '-' || right(lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0'), 4)
                  || '-7' || left(md5(n::text || k), 3) || '-8' || substr(md5(n::text || k), 4, 3) || '-' || substr(md5(n::text || k), 7, 12))::uuid as job_id
              from generate_series(FROM, TO_) n cross join generate_series(1, {JobsPerUser}) k
              join users u on u.id = ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
              cross join lateral (select least(now() - interval '1 second', u.created_at + k * interval '2 days') as at) t) j
            """,
        $"""
            insert into quota_log (user_id, job_id, change, reason, transaction_id, balance_after, created_at)
            select u.id, case when k % 2 = 1 then j.job_id end, case when k = 0 then 10 when k % 2 = 1 then -1 else 1 end,
              case when k = 0 then 'initial_grant' when k % 2 = 1 then 'video_generation' when k = 2 then 'iap_purchase' else 'admin_adjustment' end,
              case when k = 2 then 'T' || n end, case when k % 2 = 1 then 9 else 10 end, least(now(), u.created_at + k * interval '1 day')
            from generate_series(FROM, TO_) n join users u on u.id = ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
            cross join generate_series(0, {LedgerRowsPerUser - 1}) k
            left join lateral (select job_id from video_jobs v where v.user_id = u.id order by v.created_at, v.job_id offset (k - 1) / 2 limit 1) j on k % 2 = 1
            order by u.id, k
            """,
        """
            insert into purchases (environment, transaction_id, user_id, product_id, quantity, credits, price_milliunits, currency, signed_at, purchased_at, credited_at, source, created_at)
            select case when n % 50 = 0 then 'Sandbox' else 'Production' end, 'T' || n, u.id, 'com.rendioai.credits.starter.25', 1, 1, 4990, 'EUR', u.created_at, u.created_at, u.created_at, 'app', u.created_at
            from generate_series(FROM, TO_) n join users u on u.id = ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
            """,
        """
            insert into device_checks (device_id, user_id, bit0, success_count)
            select device_id, id, true, 1 from users where id between ('00000000-0000-4000-8000-' || lpad(to_hex(FROM), 12, '0'))::uuid and ('00000000-0000-4000-8000-' || lpad(to_hex(TO_), 12, '0'))::uuid
            """,
        """
            insert into sessions (user_id, created_at, refreshed_at)
            select id, created_at, created_at from users where id between ('00000000-0000-4000-8000-' || lpad(to_hex(FROM), 12, '0'))::uuid and ('00000000-0000-4000-8000-' || lpad(to_hex(TO_), 12, '0'))::uuid
            """,
    ];

    private static readonly string[] Rest =
    [
        """
            insert into error_log (user_id, error_code, endpoint, error_details, trace_id, created_at)
            select ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'ERR_400' || n % 8, (array['/generate-video', '/get-video-status', '/update-credits'])[1 + n % 3], '{}', md5(n::text),
              now() - n * (interval '30 days' / (USERS / 5 + 1))
            from generate_series(1, USERS / 5) n
            """,
        """
            insert into webhook_deliveries (provider, event_id, event_type, payload, status, processed_at, job_id, user_id, provider_job_id, created_at)
            select 'fal', job_id::text, 'OK', '{}', case when row_number() over () % 1000 = 0 then 'failed' else 'processed' end, created_at, job_id, user_id, provider_job_id, created_at
            from video_jobs limit USERS / 2
            """,
        """
            insert into admin_actions (admin_user_id, action_type, target_user_id, amount, reason, created_at)
            select ('00000000-0000-4000-8000-' || lpad(to_hex(1), 12, '0'))::uuid, 'credit_refund', ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1, 'a seeded reason', now()
            from generate_series(1, USERS / 10) n
            """,
        "update users set is_admin = true, email = 'bench@support.example' where id = '00000000-0000-4000-8000-000000000001'",
    ];

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 3600 };
        await command.ExecuteNonQueryAsync();
    }
}

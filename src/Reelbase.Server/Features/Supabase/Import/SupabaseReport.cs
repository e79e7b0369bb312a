using System.Globalization;
using System.Text.Json;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Import;

/// <summary>One thing that does not add up, or that is not as it was.</summary>
/// <param name="Code">The kind, which docs/from-supabase.md explains.</param>
/// <param name="Line">What it is about.</param>
internal sealed record Finding(string Code, string Line);

/// <summary>
/// What an operator should know of a former app's database before and after it is carried over. Read from the source alone and over all of it, so it is the same
/// with and without writing, and however often an import was started.
/// </summary>
internal sealed class SupabaseReport(SupabaseSource source, OwnerSession target)
{
    private static readonly Dictionary<string, string[]> Carried = new()
    {
        ["users"] =
        [
            "id",
            "email",
            "device_id",
            "apple_sub",
            "is_guest",
            "tier",
            "credits_remaining",
            "initial_grant_claimed",
            "language",
            "theme_preference",
            "is_admin",
            "auth_user_id",
            "banned_at",
            "deleted_at",
            "created_at",
            "updated_at",
        ],
        ["models"] =
        [
            "id",
            "name",
            "category",
            "description",
            "cost_per_generation",
            "base_price",
            "provider",
            "provider_model_id",
            "is_featured",
            "is_available",
            "is_active",
            "pricing_type",
            "credits_per_second",
            "required_fields",
            "has_audio",
            "thumbnail_url",
            "sunset_at",
            "provider_cost",
            "created_at",
        ],
        ["themes"] = ["id", "name", "description", "thumbnail_url", "prompt", "is_featured", "is_available", "default_settings", "created_at"],
        ["video_jobs"] =
        [
            "job_id",
            "id",
            "user_id",
            "model_id",
            "theme_id",
            "prompt",
            "settings",
            "image_url",
            "status",
            "video_url",
            "thumbnail_url",
            "credits_used",
            "error_code",
            "error_message",
            "provider_job_id",
            "created_at",
            "updated_at",
            "completed_at",
            "deleted_at",
        ],
        ["quota_log"] = ["id", "user_id", "job_id", "change", "reason", "transaction_id", "created_at"],
    };

    /// <summary>Everything that was found, in the order in which it is reported.</summary>
    public async Task<List<Finding>> FindAsync(CancellationToken cancellationToken)
    {
        var found = await CatalogAsync(cancellationToken);
        foreach (var (code, sql) in Questions())
        {
            found.AddRange((await source.Database.ListAsync(sql, cancellationToken)).Select(line => new Finding(code, line)));
        }
        found.AddRange(await LeftBehindAsync(cancellationToken));
        return found;
    }

    private async Task<List<Finding>> CatalogAsync(CancellationToken cancellationToken)
    {
        var models = await source.Database.ListAsync($"select o::text from {source.Rows("public.models")} m order by o ->> 'id'", cancellationToken);
        return await target.ListAsync(
            "select code, line from import_catalog_findings($1::jsonb)",
            reader => new Finding(reader.GetString(0), reader.GetString(1)),
            cancellationToken,
            $"[{string.Join(',', models)}]"
        );
    }

    private IEnumerable<(string Code, string Sql)> Questions()
    {
        var users = source.Rows("public.users");
        var jobs = source.Rows("public.video_jobs");
        var ledger = source.Rows("public.quota_log");
        const string job = "coalesce(j.o ->> 'job_id', j.o ->> 'id')";
        var failed = $"""
            select {job} as id, l.charged, l.returned from {jobs} j left join (
              select q.o ->> 'job_id' as job_id, -sum((q.o ->> 'change')::numeric) filter (where (q.o ->> 'change')::numeric < 0) as charged,
                coalesce(sum((q.o ->> 'change')::numeric) filter (where (q.o ->> 'change')::numeric > 0), 0) as returned from {ledger} q where q.o ->> 'job_id' is not null group by 1) l
              on l.job_id = {job}
            """;
        yield return (
            "ledger_corrected",
            $"""
            select format('user %s: the balance is %s and the log adds up to %s; one row of the reason migration_correction gives the difference, %s', u.o ->> 'id',
              coalesce(u.o ->> 'credits_remaining', '0'), coalesce(l.total, 0), coalesce((u.o ->> 'credits_remaining')::numeric, 0) - coalesce(l.total, 0))
            from {users} u left join (select q.o ->> 'user_id' as user_id, sum((q.o ->> 'change')::numeric) as total from {ledger} q group by 1) l on l.user_id = u.o ->> 'id'
            where coalesce((u.o ->> 'credits_remaining')::numeric, 0) <> coalesce(l.total, 0) order by 1
            """
        );
        yield return (
            "never_refunded",
            $"select format('job %s failed and its %s credits were not given back (%s of them were): nothing is done about it by itself', f.id, f.charged, f.returned) from ({failed} where j.o ->> 'status' in ('failed', 'error', 'cancelled', 'canceled')) f where f.charged > f.returned order by 1"
        );
        yield return (
            "refunded_twice",
            $"select format('job %s took %s credits and gave %s back: what is beyond the charge stays with the user and loses its job', f.id, coalesce(f.charged, 0), f.returned) from ({failed}) f where f.returned > f.charged order by 1"
        );
        yield return (
            "under_way",
            $"select format('%s jobs are under way: they end as failed at once and what the ledger charged for them is given back', count(*)) from {jobs} j join {users} u on u.o ->> 'id' = j.o ->> 'user_id' where coalesce(j.o ->> 'status', '') not in ('completed', 'failed', 'error', 'cancelled', 'canceled') having count(*) > 0"
        );
        yield return (
            "admin_flag",
            $"select format('user %s has is_admin there: nobody is imported as an admin (./reelbase admin create makes one)', u.o ->> 'id') from {users} u where (u.o ->> 'is_admin')::boolean order by 1"
        );
        yield return (
            "premium_dropped",
            $"select format('user %s is premium there without ever having bought anything: free here (an admin may set it)', u.o ->> 'id') from {users} u where u.o ->> 'tier' = 'premium' and not {Bought("u", ledger)} order by 1"
        );
        yield return (
            "premium_kept",
            $"select format('user %s is premium there and has bought something, which may have been that: premium here too', u.o ->> 'id') from {users} u where u.o ->> 'tier' = 'premium' and {Bought("u", ledger)} order by 1"
        );
        yield return (
            "duplicate_identity",
            $"select format('user %s: another user has the same %s and more credits; this one keeps everything else and is found by the id alone', o ->> 'id', case when (o ->> '_device_number')::bigint > 1 then 'device id' else 'Apple id' end) from ({source.Users}) u where (o ->> '_device_number')::bigint > 1 or (o ->> '_apple_number')::bigint > 1 order by 1"
        );
        yield return (
            "apple_subject_differs",
            $"select format('user %s: the Apple id of the row is not the one that the auth service verified; the verified one counts', u.o ->> 'id') from {users} u join {source.Identities} i on i.user_id = coalesce(u.o ->> 'auth_user_id', u.o ->> 'id') where nullif(u.o ->> 'apple_sub', '') <> i.sub order by 1"
        );
        yield return (
            "duplicate_transaction",
            $"select format('ledger row %s: its transaction id is there before; marked as a duplicate, its credits stay', id) from (select q.o ->> 'id' as id, row_number() over (partition by q.o ->> 'transaction_id' order by q.o ->> 'created_at', q.o ->> 'id') as number from {ledger} q where nullif(q.o ->> 'transaction_id', '') is not null) t where number > 1 order by 1"
        );
        yield return (
            "reason_changed",
            $"select format('%s ledger rows have the reason %s: admin_adjustment here, with the old word in the note', count(*), coalesce(quote_literal(left(q.o ->> 'reason', 60)), 'none')) from {ledger} q where coalesce(q.o ->> 'reason', '') !~ '^(generation|video_generation|purchase|iap_purchase|refund|generation_refund|generation_failed_refund|admin_refund.*|initial_grant|apple_refund|apple_refund_reversed|admin_adjustment)$' and coalesce((q.o ->> 'change')::numeric, 0) <> 0 group by q.o ->> 'reason' order by 1"
        );
        foreach (var (table, what) in new[] { ("video_jobs", "jobs"), ("quota_log", "ledger rows") })
        {
            yield return (
                "not_carried",
                $"select format('{what}: %s belong to no user and are not carried over', count(*)) from {source.Rows("public." + table)} t where not exists (select from {users} u where u.o ->> 'id' = t.o ->> 'user_id') having count(*) > 0"
            );
        }
        yield return (
            "not_carried",
            $"select format('ledger rows: %s change nothing and are not carried over', count(*)) from {ledger} q where coalesce((q.o ->> 'change')::numeric, 0) = 0 having count(*) > 0"
        );
        foreach (var (table, column) in new[] { ("users", "id"), ("models", "id"), ("themes", "id") })
        {
            yield return (
                "not_carried",
                $"select format('{table}: %s have an id that is no UUID and are not carried over, with everything that is theirs', count(*)) from {source.Rows("public." + table)} t where coalesce(o ->> '{column}', '') !~* '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' having count(*) > 0"
            );
        }
        foreach (var table in Carried.Keys.Select(table => "public." + table).Where(source.Has))
        {
            yield return (
                "no_moment",
                $"select format('{table["public.".Length..]}: %s rows have a time that is no moment (infinity): now, or none, here', count(*)) from {source.Rows(table)} t where exists (select from jsonb_each_text(t.o) e where e.key ~ '_at$' and e.value in ('infinity', '-infinity')) having count(*) > 0"
            );
        }
        yield return (
            "files_elsewhere",
            $"select format('%s videos or thumbnails lie at %s, which is no storage of Supabase: their addresses stay as they are and their files are not copied', count(*), host) from {jobs} j cross join lateral (values (j.o ->> 'video_url'), (j.o ->> 'thumbnail_url')) a (url) cross join lateral (select coalesce(substring(a.url from '^https?://([^/:?]+)'), 'a place without a host') as host) h where a.url <> '' and a.url !~ '/storage/v1/(object|render/image)/' group by host order by 1"
        );
        yield return (
            "sessions",
            $"select case when (select count(*) from ({source.Tokens}) t) > 0 then format('%s refresh tokens of the former project are carried over as hashes: shipped apps go on while Server:AcceptUnverifiedUserId is open', (select count(*) from ({source.Tokens}) t)) else 'no refresh token of the former project can be read (auth.refresh_tokens): shipped apps that hold one have to sign in again' end"
        );
    }

    private static string Bought(string user, string ledger) =>
        $"exists (select from {ledger} b where b.o ->> 'user_id' = {user}.o ->> 'id' and b.o ->> 'reason' in ('purchase', 'iap_purchase') and (b.o ->> 'change')::numeric > 0)";

    /// <summary>Jobs that the old database runs by itself, and what lies in it that has no place here.</summary>
    private async Task<List<Finding>> LeftBehindAsync(CancellationToken cancellationToken)
    {
        var found = new List<Finding>();
        if (source.Has("cron.job", "jobname"))
        {
            found.AddRange(
                (
                    await source.Database.ListAsync(
                        $"select format('pg_cron job %s (%s) goes on there; it is not touched and would act on whatever stands at its database then: select cron.unschedule(%s) when you switch over', coalesce(quote_literal(o ->> 'jobname'), o ->> 'jobid'), o ->> 'schedule', o ->> 'jobid') from {source.Rows("cron.job")} t where coalesce((o ->> 'active')::boolean, true) order by o ->> 'jobid'",
                        cancellationToken
                    )
                ).Select(line => new Finding("cron_job", line))
            );
        }
        foreach (var (table, columns) in Carried)
        {
            foreach (var column in source.Columns("public." + table).Except(columns).Order(StringComparer.Ordinal))
            {
                var rows = await source.Database.CountAsync(
                    $"select count(*) from {SupabaseSource.Quoted("public." + table)} where {SupabaseSource.Quoted(column)} is not null",
                    cancellationToken
                );
                if (rows > 0)
                {
                    found.Add(new("not_carried", string.Create(CultureInfo.InvariantCulture, $"{table}.{column}: {rows} values are not carried over")));
                }
            }
        }
        var mine = Carried.Keys.Select(table => "public." + table).Append(source.Consents).ToHashSet();
        foreach (var table in source.Tables("public").Except(mine).Order(StringComparer.Ordinal))
        {
            var rows = await source.Database.CountAsync($"select count(*) from {SupabaseSource.Quoted(table)}", cancellationToken);
            found.Add(new("not_carried", string.Create(CultureInfo.InvariantCulture, $"table {table}: {rows} rows are not carried over")));
        }
        if (source.Has("auth.users"))
        {
            var strangers = await source.Database.CountAsync(
                $"select count(*) from {source.Rows("auth.users")} a where not exists (select from {source.Rows("public.users")} u where coalesce(u.o ->> 'auth_user_id', u.o ->> 'id') = a.o ->> 'id')",
                cancellationToken
            );
            if (strangers > 0)
            {
                found.Add(
                    new(
                        "not_carried",
                        string.Create(CultureInfo.InvariantCulture, $"auth.users: {strangers} accounts have no user of the app and are not carried over")
                    )
                );
            }
        }
        return found;
    }

    /// <summary>Keeps what was found with the import, in place of what an earlier start has found.</summary>
    public async Task KeepAsync(string kind, IReadOnlyList<Finding> findings, CancellationToken cancellationToken) =>
        await target.InTransactionAsync(
            async () =>
            {
                await target.ExecuteAsync("delete from import_findings where kind = $1", cancellationToken, kind);
                await target.ExecuteAsync(
                    "insert into import_findings (kind, code, line) select $1, f ->> 'Code', f ->> 'Line' from jsonb_array_elements($2::jsonb) f",
                    cancellationToken,
                    kind,
                    JsonSerializer.Serialize(findings)
                );
            },
            cancellationToken
        );
}

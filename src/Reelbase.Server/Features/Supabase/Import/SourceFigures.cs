using System.Globalization;
using System.Text.Json.Nodes;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Import;

/// <summary>One line of the comparison at the end.</summary>
/// <param name="What">What was counted.</param>
/// <param name="Total">All of it in the source; null where there is nothing but what can be carried.</param>
/// <param name="Source">What of it was to be carried over.</param>
/// <param name="Target">What of it is here.</param>
/// <param name="Differ">For how many users, or things, that is not the same.</param>
/// <param name="Example">The first of them.</param>
internal sealed record Compared(string What, decimal? Total, decimal Source, decimal Target, long Differ, string? Example)
{
    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"compare: {What}: {Source:0} to carry{(Total is { } total && total != Source ? $" of {total:0} in the source" : "")}, {Target:0} here{(Differ == 0 ? "" : $"; DIFFERENT for {Differ}, first {Example}")}"
        );
}

/// <summary>Counts and sums of the source: what it was at each start, and at the end whether all of it is here.</summary>
internal sealed class SourceFigures(SupabaseSource source, OwnerSession target)
{
    private const int Page = 20_000;

    private static readonly string[] Watched =
    [
        "public.users",
        "public.models",
        "public.themes",
        "public.video_jobs",
        "public.quota_log",
        "auth.identities",
        "auth.refresh_tokens",
        "storage.objects",
    ];

    /// <summary>How many rows each table has, and a fingerprint of all their contents.</summary>
    public async Task<JsonObject> StateAsync(CancellationToken cancellationToken)
    {
        var state = new JsonObject();
        foreach (var table in Watched.Append(source.Consents).Where(source.Has))
        {
            // The sum of the rows' hashes does not depend on their order, so nothing has to be sorted.
            var line = (
                await source.Database.ListAsync(
                    $"select count(*) || ' ' || left(encode(sha256(convert_to(coalesce(sum(hashtextextended(to_jsonb(t)::text, 0)::numeric), 0)::text, 'UTF8')), 'hex'), 16) from {SupabaseSource.Quoted(table)} t",
                    cancellationToken
                )
            )[0]
                .Split(' ');
            state[table] = new JsonObject { ["rows"] = long.Parse(line[0], CultureInfo.InvariantCulture), ["fingerprint"] = line[1] };
        }
        return state;
    }

    /// <summary>Notes the state with the import; answers what has changed since the last start.</summary>
    public Task<List<Finding>> NoteAsync(string kind, JsonObject state, bool isDryRun, CancellationToken cancellationToken) =>
        target.ListAsync(
            "select code, line from import_note_source($1, $2::jsonb, $3)",
            reader => new Finding(reader.GetString(0), reader.GetString(1)),
            cancellationToken,
            kind,
            state.ToJsonString(),
            isDryRun
        );

    /// <summary>Compares every user's figures, and how many models and themes there are.</summary>
    public async Task<List<Compared>> CompareAsync(CancellationToken cancellationToken)
    {
        var totals = await TotalsAsync(cancellationToken);
        var compared = new List<Compared>();
        await target.InTransactionAsync(
            async () =>
            {
                var users = await source.Database.ReadAsync(Users, Page, cancellationToken);
                var page = new List<(string, string)>();
                while (await users.PeekAsync(cancellationToken) is not null)
                {
                    page.Add(("compare", users.Take()));
                    if (page.Count == Page || await users.PeekAsync(cancellationToken) is null)
                    {
                        await target.CopyAsync("import_rows", "kind, o", page, cancellationToken);
                        page.Clear();
                    }
                }
                await target.ExecuteAsync("analyze import_rows", cancellationToken);
                compared.AddRange(
                    await target.ListAsync(
                        "select what, source, target, differ, example from import_compare()",
                        reader => new Compared(
                            reader.GetString(0),
                            totals.TryGetValue(reader.GetString(0), out var total) ? total : null,
                            reader.GetDecimal(1),
                            reader.GetDecimal(2),
                            reader.GetInt64(3),
                            reader.IsDBNull(4) ? null : reader.GetString(4)
                        ),
                        cancellationToken
                    )
                );
            },
            cancellationToken
        );
        foreach (var table in new[] { "models", "themes" })
        {
            var ids = await source.Database.ListAsync(
                $"select distinct lower(o ->> 'id') from {source.Rows("public." + table)} t where o ->> 'id' ~* '{SupabaseSource.Uuid}'",
                cancellationToken
            );
            var missing = await target.ListAsync(
                $"select i from unnest($1::text[]) i where not exists (select from {table} t where t.id = i::uuid) order by i",
                reader => reader.GetString(0),
                cancellationToken,
                (object)ids.ToArray()
            );
            compared.Add(new(table, null, ids.Count, ids.Count - missing.Count, missing.Count, missing.FirstOrDefault()));
        }
        var faults = await target.ListAsync("select user_id::text from check_ledger()", reader => reader.GetString(0), cancellationToken);
        compared.Add(new("ledgers here that do not add up", null, 0, faults.Count, faults.Count, faults.FirstOrDefault()));
        return compared;
    }

    /// <summary>Compares the files that were to be brought with the rows of those that are here; without a storage to bring them from they are only counted.</summary>
    public async Task<List<Compared>> CompareFilesAsync(bool areBrought, CancellationToken cancellationToken) =>
        await target.ListAsync(
            """
            select count(*)::numeric, count(o.id)::numeric, case when $1 then count(*) - count(o.id) else 0 end,
              (array_agg(f.bucket || '/' || f.name order by f.bucket, f.name) filter (where o.id is null))[1]
            from import_files f
            left join uploads u on f.role = 'picture' and u.bucket = f.bucket and u.folder = f.user_id and u.path = substr(f.name, 38)
            left join storage_objects o on f.state = 'stored' and o.state = 'stored' and o.size_bytes = f.size_bytes
              and case f.role when 'picture' then o.id = u.object_id when 'video' then o.job_id = f.job_id and o.bucket = 'videos' else o.job_id = f.job_id and o.bucket = 'thumbnails' end
            """,
            reader => new Compared(
                "files",
                null,
                reader.GetDecimal(0),
                reader.GetDecimal(1),
                reader.GetInt64(2),
                reader.IsDBNull(3) ? null : reader.GetString(3)
            ),
            cancellationToken,
            areBrought
        );

    private async Task<Dictionary<string, decimal>> TotalsAsync(CancellationToken cancellationToken)
    {
        var totals = new Dictionary<string, decimal>();
        (string What, string Sql)[] questions =
        [
            ("users", $"select count(*) from {source.Rows("public.users")} t"),
            ("balances, credits", $"select coalesce(sum((o ->> 'credits_remaining')::numeric), 0) from {source.Rows("public.users")} t"),
            ("jobs", $"select count(*) from {source.Rows("public.video_jobs")} t"),
            ("ledger rows", $"select count(*) from {source.Rows("public.quota_log")} t"),
            ("ledger, credits", $"select coalesce(sum((o ->> 'change')::numeric), 0) from {source.Rows("public.quota_log")} t"),
            ("refresh tokens", $"select count(*) from ({source.Tokens}) t"),
            ("consents", $"select count(*) from {source.Rows(source.Consents)} t"),
        ];
        foreach (var (what, sql) in questions)
        {
            totals[what] = decimal.Parse((await source.Database.ListAsync($"select ({sql})::text", cancellationToken))[0], CultureInfo.InvariantCulture);
        }
        return totals;
    }

    /// <summary>What of each user is to be here afterwards, by the same rules as in import_stage and import_users.</summary>
    private string Users =>
        $"""
            select null::text, jsonb_build_object('id', u.id, 'users', 1, 'balances, credits', round(u.balance), 'jobs', coalesce(j.n, 0), 'ledger rows', coalesce(l.n, 0),
              'ledger, credits', coalesce(l.total, 0), 'refresh tokens', case when u.is_deleted then 0 else coalesce(t.n, 0) end, 'consents', coalesce(c.n, 0))::text
            from (select distinct on (lower(o ->> 'id')) lower(o ->> 'id') as id, coalesce((o ->> 'credits_remaining')::numeric, 0) as balance, o ->> 'deleted_at' is not null as is_deleted
              from {source.Rows("public.users")} t where o ->> 'id' ~* '{SupabaseSource.Uuid}' order by 1) u
            left join (select lower(o ->> 'user_id') as user_id, count(distinct lower(coalesce(o ->> 'job_id', o ->> 'id'))) as n from {source.Rows(
                "public.video_jobs"
            )} t where coalesce(o ->> 'job_id', o ->> 'id') ~* '{SupabaseSource.Uuid}' group by 1) j on j.user_id = u.id
            left join (select lower(o ->> 'user_id') as user_id, count(*) as n, sum(round((o ->> 'change')::numeric)) as total from {source.Rows(
                "public.quota_log"
            )} t where round((o ->> 'change')::numeric) <> 0 group by 1) l on l.user_id = u.id
            left join (select key as user_id, count(distinct o ->> 'hash') as n from ({source.Tokens}) t group by 1) t on t.user_id = u.id
            left join (select lower(o ->> 'user_id') as user_id, count(distinct concat_ws('|', o ->> 'kind', left(o ->> 'version', 50))) filter (where coalesce(o ->> 'withdrawn_at', 'infinity') ~ 'infinity')
                + count(*) filter (where o ->> 'withdrawn_at' !~ 'infinity') as n
              from {source.Rows(
                source.Consents
            )} t where o ->> 'kind' in ('terms', 'ai_processing', 'consumption_data') and o ->> 'version' <> '' group by 1) c on c.user_id = u.id
            """;
}

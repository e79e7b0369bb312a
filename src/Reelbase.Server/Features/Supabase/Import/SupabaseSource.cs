using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Import;

/// <summary>A Supabase project's database as the former app kept it: which of its tables and columns are there, and its rows as JSON, whatever their types.</summary>
internal sealed class SupabaseSource(ForeignDatabase database) : IAsyncDisposable
{
    private const int Page = 2_000;

    private static readonly Dictionary<string, string[]> Needed = new()
    {
        ["users"] = ["id", "credits_remaining"],
        ["models"] = ["id", "name"],
        ["video_jobs"] = ["user_id", "prompt", "status"],
        ["quota_log"] = ["id", "user_id", "change", "reason"],
    };

    private readonly Dictionary<string, HashSet<string>> _columns = [];

    /// <summary>The database.</summary>
    public ForeignDatabase Database => database;

    /// <summary>Reads what there is.</summary>
    /// <exception cref="ArgumentException">What an import cannot do without is missing, or may not be read.</exception>
    public async Task ExamineAsync(CancellationToken cancellationToken)
    {
        var found = await database.ListAsync(
            """
            select format(E'%s.%s\t%s\t%s', n.nspname, c.relname, has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'), string_agg(a.attname, ',' order by a.attnum))
            from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            where c.relkind in ('r', 'p', 'f', 'v') and n.nspname in ('public', 'auth', 'storage', 'cron') group by n.oid, c.oid, n.nspname, c.relname order by 1
            """,
            cancellationToken
        );
        foreach (var parts in found.Select(line => line.Split('\t')))
        {
            if (parts[1] == "t")
            {
                _columns[parts[0]] = [.. parts[2].Split(',')];
            }
            else if (Needed.ContainsKey(parts[0]["public.".Length..]) && parts[0].StartsWith("public.", StringComparison.Ordinal))
            {
                throw new ArgumentException($"the source does not let us read {parts[0]}: give an address whose user may (on Supabase: postgres)");
            }
        }
        foreach (var (table, columns) in Needed)
        {
            if (!Has($"public.{table}"))
            {
                throw new ArgumentException($"the source has no table public.{table}: is it the database of the former app?");
            }
            if (columns.FirstOrDefault(column => !_columns[$"public.{table}"].Contains(column)) is { } missing)
            {
                throw new ArgumentException($"the source's table public.{table} has no column {missing}, which an import needs");
            }
        }
        if (!_columns["public.video_jobs"].Overlaps(["job_id", "id"]))
        {
            throw new ArgumentException("the source's table public.video_jobs has no column job_id, which an import needs");
        }
    }

    /// <summary>Whether a table is there and may be read.</summary>
    public bool Has(string table) => _columns.ContainsKey(table);

    /// <summary>Whether a table has a column.</summary>
    public bool Has(string table, string column) => _columns.TryGetValue(table, out var columns) && columns.Contains(column);

    /// <summary>The columns of a table.</summary>
    public IReadOnlyCollection<string> Columns(string table) => _columns.GetValueOrDefault(table) ?? [];

    /// <summary>The tables of a schema.</summary>
    public IEnumerable<string> Tables(string schema) => _columns.Keys.Where(name => name.StartsWith(schema + ".", StringComparison.Ordinal));

    /// <summary>A table's rows as JSON documents <c>o</c>; of one that is not there, none.</summary>
    public string Rows(string table) => Has(table) ? $"(select to_jsonb(t) as o from {Quoted(table)} t)" : "(select null::jsonb as o where false)";

    /// <summary>A table's name for a statement.</summary>
    public static string Quoted(string table) =>
        string.Join('.', table.Split('.', 2).Select(part => $"\"{part.Replace("\"", "\"\"", StringComparison.Ordinal)}\""));

    /// <summary>Which database this is, so that an import is never continued from another one.</summary>
    public async Task<string> IdentityAsync(CancellationToken cancellationToken) =>
        (
            await database.ListAsync(
                """
                select concat_ws(' ', case when has_function_privilege('pg_control_system()', 'execute') then (select system_identifier from pg_control_system()) end,
                  d.oid, d.datname) from pg_database d where d.datname = current_database()
                """,
                cancellationToken
            )
        )[0];

    /// <summary>Users after one, with which of several equal device and Apple ids theirs is: of several the one with the most credits keeps it.</summary>
    public Task<ForeignCursor> UsersAsync(string after, CancellationToken cancellationToken) =>
        Database.ReadAsync($"select key, o::text from ({Users}) u where key > $1 collate \"C\" order by key collate \"C\"", Page, cancellationToken, after);

    /// <summary>The users with their keys and what is computed over all of them.</summary>
    public string Users =>
        $"""
            select n.key, (n.o || jsonb_build_object('_apple_sub', n.apple_sub,
                '_device_number', case when n.device_id is null then 1 else row_number() over (partition by n.device_id order by n.credits desc, n.o ->> 'created_at', n.key) end,
                '_apple_number', case when n.apple_sub is null then 1 else row_number() over (partition by n.apple_sub order by n.credits desc, n.o ->> 'created_at', n.key) end)) as o
            from (
              select lower(u.o ->> 'id') collate "C" as key, u.o, coalesce(i.sub, nullif(u.o ->> 'apple_sub', '')) as apple_sub,
                case when u.o ->> 'device_id' ~* '{Uuid}' then lower(u.o ->> 'device_id') else nullif(u.o ->> 'device_id', '') end as device_id,
                coalesce((u.o ->> 'credits_remaining')::numeric, 0) as credits
              from {Rows("public.users")} u left join {Identities} i on i.user_id = coalesce(u.o ->> 'auth_user_id', u.o ->> 'id')) n
            """;

    /// <summary>Rows of users after one, in their order.</summary>
    public Task<ForeignCursor> OwnedAsync(string table, string after, CancellationToken cancellationToken) =>
        Database.ReadAsync(
            $"select lower(o ->> 'user_id') collate \"C\", o::text from {Rows(table)} t where lower(o ->> 'user_id') collate \"C\" > $1 order by 1",
            Page,
            cancellationToken,
            after
        );

    /// <summary>The ledger after a user, with which of several equal transaction ids a row's is.</summary>
    public Task<ForeignCursor> LedgerAsync(string after, CancellationToken cancellationToken) =>
        Database.ReadAsync(
            $"""
            select key, o::text from (
              select lower(t.o ->> 'user_id') collate "C" as key, t.o || jsonb_build_object('_transaction_number', case when nullif(t.o ->> 'transaction_id', '') is null then 1
                else row_number() over (partition by nullif(t.o ->> 'transaction_id', '') order by t.o ->> 'created_at', t.o ->> 'id') end) as o
              from {Rows("public.quota_log")} t) t
            where key > $1 order by key, o ->> 'created_at', o ->> 'id'
            """,
            Page,
            cancellationToken,
            after
        );

    /// <summary>Refresh tokens that counted there, and each one's predecessor, whose answer may have been lost, as hashes: the tokens themselves never leave.</summary>
    public Task<ForeignCursor> TokensAsync(string after, CancellationToken cancellationToken) =>
        Database.ReadAsync($"select key, o::text from ({Tokens}) t where key > $1 order by key, o ->> 'hash'", Page, cancellationToken, after);

    /// <summary>The refresh tokens with the key of their user.</summary>
    public string Tokens =>
        Has("auth.refresh_tokens", "token")
            ? $"""
                select lower(u.o ->> 'id') collate "C" as key, jsonb_build_object('user_id', u.o ->> 'id', 'hash', encode(sha256(convert_to(k.o ->> 'token', 'UTF8')), 'hex'),
                  'family', coalesce(k.o ->> 'session_id', 'user ' || (u.o ->> 'id'))) as o
                from (
                  select o from {Rows("auth.refresh_tokens")} l where not coalesce((o ->> 'revoked')::boolean, false)
                  union
                  select p.o from {Rows("auth.refresh_tokens")} p join {Rows("auth.refresh_tokens")} l on l.o ->> 'parent' = p.o ->> 'token'
                  where not coalesce((l.o ->> 'revoked')::boolean, false)) k
                join {Rows("public.users")} u on coalesce(u.o ->> 'auth_user_id', u.o ->> 'id') = k.o ->> 'user_id'
                where k.o ->> 'token' is not null
                """
            : "select null::text collate \"C\" as key, null::jsonb as o where false";

    /// <summary>Which Apple subject the auth service verified for each of its users.</summary>
    public string Identities =>
        Has("auth.identities")
            ? $"(select i.o ->> 'user_id' as user_id, max(coalesce(i.o -> 'identity_data' ->> 'sub', i.o ->> 'provider_id', i.o ->> 'id')) as sub from {Rows("auth.identities")} i where i.o ->> 'provider' = 'apple' group by 1)"
            : "(select null::text as user_id, null::text as sub where false)";

    /// <summary>Where consents were kept, if anywhere.</summary>
    public string Consents => Has("public.user_consents", "user_id") ? "public.user_consents" : "public.consents";

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => database.DisposeAsync();

    /// <summary>A regular expression for an id, whatever its letters.</summary>
    public const string Uuid = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";
}

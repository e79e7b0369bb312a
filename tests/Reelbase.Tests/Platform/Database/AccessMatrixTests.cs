using System.Text;
using Npgsql;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>
/// Role × table × action, found by trying, on tables that hold rows of two users. The list of tables comes from the
/// catalogue: a new table without an expectation fails.
/// </summary>
public sealed class AccessMatrixTests(AccessMatrixTests.TwoUsers system) : IClassFixture<AccessMatrixTests.TwoUsers>
{
    private const string None = "denied denied denied denied";

    // select insert update delete, as the signed-in user Ada. "own": only her rows; "some": only offered rows.
    private static readonly Dictionary<string, string> Authenticated = new()
    {
        // A policy lets admins read it, and Ada is none.
        ["public.admin_actions"] = "none denied denied denied",
        ["public.admin_approvals"] = None,
        ["public.age_bands"] = None,
        ["public.admin_credentials"] = None,
        ["public.admin_passkey_challenges"] = None,
        ["public.admin_passkeys"] = None,
        ["public.admin_sign_in_failures"] = None,
        ["public.alerts"] = None,
        ["public.app_settings"] = None,
        ["public.apple_authorizations"] = None,
        ["public.consent_terms"] = None,
        ["public.rescinded_consents"] = None,
        ["public.balances_below_zero"] = None,
        ["public.content_reports"] = None,
        ["public.device_challenges"] = None,
        ["public.device_checks"] = None,
        ["public.device_grants"] = None,
        ["public.device_keys"] = None,
        ["public.device_openings"] = None,
        ["public.device_questions"] = None,
        ["public.error_log"] = None,
        ["public.foreign_results"] = None,
        ["public.former_refresh_tokens"] = None,
        ["public.idempotency_log"] = None,
        ["public.import_files"] = None,
        ["public.import_findings"] = None,
        ["public.imports"] = None,
        ["public.installation"] = None,
        ["public.installation_leases"] = None,
        ["public.job_hours"] = None,
        ["public.job_submissions"] = None,
        ["public.job_totals"] = None,
        ["public.ledger_hours"] = None,
        ["public.ledger_totals"] = None,
        ["public.models"] = "some denied denied denied",
        ["public.nodes"] = None,
        ["public.outside_systems"] = None,
        ["public.products"] = "some denied denied denied",
        ["public.promo_claims"] = None,
        ["public.promo_codes"] = None,
        ["public.promo_redemptions"] = None,
        ["public.provider_spend"] = None,
        ["public.model_margins"] = None,
        ["public.provider_states"] = None,
        ["public.purchase_claims"] = None,
        ["public.purchases"] = None,
        ["public.push_notifications"] = None,
        ["public.push_tokens"] = None,
        ["public.queue_lanes"] = None,
        ["public.queue_marks"] = None,
        ["public.quota_log"] = "own denied denied denied",
        ["public.rate_limit_log"] = None,
        ["public.reconciliations"] = None,
        ["public.refresh_tokens"] = None,
        ["public.schedules"] = None,
        ["public.sessions"] = None,
        ["public.statistics_progress"] = None,
        ["public.storage_alert"] = None,
        ["public.storage_objects"] = "own denied denied denied",
        ["public.storage_use"] = None,
        ["public.storage_use_changes"] = None,
        ["public.temporary_guests"] = None,
        ["public.theme_hours"] = None,
        ["public.themes"] = "some denied denied denied",
        ["public.unverified_uses"] = None,
        ["public.uploads"] = None,
        ["public.used_identity_tokens"] = None,
        ["public.user_consents"] = None,
        ["public.users"] = "own denied own:language,theme_preference denied",
        ["public.video_jobs"] = "own denied denied denied",
        ["public.webhook_deliveries"] = None,
        ["reelbase.migration_report"] = None,
        ["reelbase.schema_files"] = None,
        ["reelbase.schema_releases"] = None,
        ["reelbase.schema_versions"] = None,
    };

    private static readonly Dictionary<string, string> Anonymous = Authenticated.ToDictionary(
        pair => pair.Key,
        pair => pair.Key is "public.models" or "public.products" or "public.themes" ? "some denied denied denied" : None
    );

    // The login roles reach data through functions only; not one of them reads or writes a table.
    private static readonly string[] LoginRoles = ["reelbase_api", "reelbase_worker", "reelbase_admin"];

    /// <summary>Two users with rows in every table.</summary>
    public sealed class TwoUsers : TestSystem
    {
        // Rows of what changed stay, so that there are some to be shown.
        protected override Dictionary<string, string?> Settings => new() { ["Storage:UseSeconds"] = "3600" };

        public Phone Ada { get; private set; } = null!;
        public Phone Ben { get; private set; } = null!;

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            Ada = await NewGuestAsync();
            Ben = await NewGuestAsync();
            await NewPromoCodeAsync("FOR-ALL", 1, 2);
            foreach (var phone in new[] { Ada, Ben })
            {
                await phone.PostAsync("/redeem-promo-code", new { code = "for all" });
                await phone.GenerateAndWatchAsync("Rows for everyone");
                await phone.GetAsync("/get-video-jobs?limit=0");
                var (_, signed) = await new Apple(Control).BuyAsync(Apple.Pack25, phone.UserId);
                await phone.PostAsync("/update-credits", new { signed_transaction = signed });
                var (token, code) = await new Apple(Control).SignInAsync("subject of " + phone.UserId);
                await phone.PostAsync("/merge-guest-user", new { id_token = token, authorization_code = code });
                var job = (await phone.GetAsync("/get-video-jobs"))["jobs"][0].GetProperty("job_id").GetString();
                await phone.PostAsync("/report-content", new { job_id = job, reason = "a reason" });
                await phone.PostAsync("/register-push-token", new { token = phone.UserId.ToString("N") });
                await phone.PostAsync("/set-age-band", new { lower_bound = 18, declaration = "checked" });
                await phone.PostAsync(
                    "/record-consent",
                    new
                    {
                        kind = "terms",
                        version = "1",
                        granted = true,
                    }
                );
                await ExecuteAsync(
                    $"""
                    insert into app_settings (key, value) values ('flag_of_the_test', 'true') on conflict do nothing;
                    insert into storage_use values ('videos', 0, 0) on conflict do nothing;
                    insert into rate_limit_log (action, user_id) values ('test', '{phone.UserId}');
                    insert into purchase_claims (user_id, transaction_id, run_after) values ('{phone.UserId}', '1', now() + interval '1 day');
                    insert into push_notifications (user_id, job_id, token, environment, kind, event, model_name, status, finished_at)
                    select user_id, job_id, 'a token', 'production', 'alert', 'completed', 'a model', 'sent', now() from video_jobs where user_id = '{phone.UserId}';
                    insert into admin_approvals (operation, request, target_user_id, amount, requested_by, expires_at)
                    values ('admin-refund-credits', '[]', '{phone.UserId}', 1, '{phone.UserId}', now());
                    insert into admin_passkeys (user_id, name, credential_id, public_key, sign_count) values ('{phone.UserId}', 'a key', '{phone.UserId}', 'cose', 0);
                    insert into admin_passkey_challenges (hash, user_id, expires_at) values ('{phone.UserId}', '{phone.UserId}', now());
                    insert into admin_sign_in_failures (account, network, failures) values ('an account', '192.0.2.1', 1) on conflict do nothing;
                    insert into alerts (kind, dedupe_key, message) values ('test_alert', '{phone.UserId}', 'a message');
                    with file as (
                      insert into storage_objects (bucket, name, user_id, state, size_bytes, content_type, stored_at)
                      values ('pictures', '{phone.UserId}.jpg', '{phone.UserId}', 'stored', 1, 'image/jpeg', now()) returning id)
                    insert into uploads (user_id, bucket, folder, path, object_id) select '{phone.UserId}', 'uploads', '{phone.UserId}', 'x.jpg', id from file;
                    insert into device_openings (token_hash, device_hash, user_id) values ('{phone.UserId}', 'device', '{phone.UserId}');
                    insert into device_challenges (challenge_hash, expires_at) values (sha256('{phone.UserId}'), now());
                    insert into device_keys (key_id, device_hash, user_id, is_joined, public_key, app_id, environment)
                    values (sha256('{phone.UserId}'), 'device', '{phone.UserId}', true, decode(repeat('04', 65), 'hex'), 'an app', 'production');
                    insert into device_questions (device_hash, token_hash, verdict, decided_at) values ('device', '{phone.UserId}', 'accepted', now());
                    insert into temporary_guests (user_id, device_hash, token_hash) values ('{phone.UserId}', 'device', '{phone.UserId}');
                    insert into queue_lanes (provider, lane) values ('fal', 'guest') on conflict do nothing;
                    insert into queue_marks (provider, lane, marked_at) values ('fal', 'guest', now()) on conflict do nothing;
                    insert into reelbase.migration_report (line) values ('a line');
                    insert into imports (kind, source) values ('supabase', 'a database') on conflict do nothing;
                    insert into import_findings (kind, code, line) values ('supabase', 'a_code', 'a line');
                    insert into import_files (bucket, name, role, user_id) values ('thumbnails', '{phone.UserId}', 'picture', '{phone.UserId}');
                    select internal.import_refresh_token(sha256('{phone.UserId}'), '{phone.UserId}', 'a family');
                    select count_unverified_uses('user_id', 1);
                    insert into rescinded_consents values ('Sandbox:{phone.UserId}', now());
                    insert into balances_below_zero (user_id) values ('{phone.UserId}') on conflict do nothing;
                    insert into model_margins (day, provider, model_name) values (current_date, 'fal', '{phone.UserId}');
                    set session_replication_role = replica;
                    insert into reelbase.schema_versions (name, hash) values ('a file', 'a hash') on conflict do nothing;
                    reset session_replication_role;
                    insert into foreign_results (job_id, model_id, host) select job_id, model_id, 'media.example' from video_jobs where user_id = '{phone.UserId}';
                    update models set is_available = false where name = 'Pika 2.2';
                    update themes set is_available = false where name = 'Snow fox';
                    update products set is_active = false where product_id = (select min(product_id) from products);
                    """
                );
            }
            await Eventually.IsAsync(() => QueryAsync<long>("select count(*) from error_log"), rows => rows > 0);
            await ExecuteAsync("update video_jobs set theme_id = (select min(id::text)::uuid from themes)");
            await QueryAsync<DateTime>("select count_hours(100)");
            // The first count, whoever's, begins the totals anew.
            await Eventually.IsAsync(() => QueryAsync<long>("select count(*) from statistics_progress where folded_until is not null"), rows => rows > 0);
            await ExecuteAsync(
                "insert into ledger_totals (reason, credits) values ('a reason', 1); insert into job_totals (provider, model_name, result, error_code, jobs) values ('fal', 'A model', 'accepted', '', 1)"
            );
            await QueryAsync<Guid>("select create_admin('someone@example.com', 'a hash', 'sealed')");
            await Eventually.IsAsync(() => QueryAsync<long>("select count(*) from nodes"), rows => rows > 0);
            await Eventually.IsAsync(() => QueryAsync<long>("select count(*) from outside_systems"), rows => rows > 0);
        }
    }

    [Fact]
    public async Task The_matrix_of_roles_tables_and_actions_is_as_expected()
    {
        var tables = await TablesAsync();
        Assert.Equal(Authenticated.Keys.Order(StringComparer.Ordinal), tables.Order(StringComparer.Ordinal));
        var wrong = new StringBuilder();
        foreach (var table in tables)
        {
            Assert.True(await system.QueryAsync<long>($"select count(*) from {table}") > 0, $"{table} is empty, so nothing would be shown");
            await CompareAsync("authenticated", table, Authenticated[table], wrong);
            await CompareAsync("anon", table, Anonymous[table], wrong);
            foreach (var role in LoginRoles)
            {
                await CompareAsync(role, table, None, wrong);
            }
        }
        Assert.True(wrong.Length == 0, wrong.ToString());
    }

    [Fact]
    public async Task Every_table_has_row_security_or_is_out_of_reach()
    {
        Assert.Empty(
            await system.RowsAsync(
                "select oid::regclass from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and not relrowsecurity"
            )
        );
        Assert.Empty(
            await system.RowsAsync(
                """
                select c.oid::regclass, r.rolname from pg_class c, pg_roles r
                where c.relnamespace = 'reelbase'::regnamespace and r.rolname in ('anon', 'authenticated', 'reelbase_api', 'reelbase_worker', 'reelbase_admin')
                  and has_table_privilege(r.oid, c.oid, 'select, insert, update, delete') and has_schema_privilege(r.oid, 'reelbase', 'usage')
                """
            )
        );
    }

    [Fact]
    public async Task Login_roles_own_nothing_and_bypass_nothing() =>
        Assert.Empty(
            await system.RowsAsync(
                """
                select rolname from pg_roles r where rolname in ('reelbase_api', 'reelbase_worker', 'reelbase_admin', 'anon', 'authenticated')
                  and (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolinherit
                    or exists (select from pg_class where relowner = r.oid) or exists (select from pg_proc where proowner = r.oid))
                """
            )
        );

    [Fact]
    public async Task Each_role_executes_its_functions_and_no_others()
    {
        foreach (var (role, expected) in FunctionRights.ByRole)
        {
            var names = await system.RowsAsync(
                $"""
                select distinct p.proname from pg_proc p where p.pronamespace in ('public'::regnamespace, 'internal'::regnamespace)
                  and {(
                    role == "public"
                        ? "(p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0))"
                        : $"has_function_privilege('{role}', p.oid, 'execute')"
                )}
                order by 1
                """
            );
            Assert.Equal($"{role}: {string.Join(", ", expected)}", $"{role}: {string.Join(", ", names)}");
        }
    }

    [Fact]
    public async Task Definer_functions_pin_their_search_path() =>
        Assert.Empty(
            await system.RowsAsync(
                """
                select proname from pg_proc where pronamespace in ('public'::regnamespace, 'internal'::regnamespace, 'reelbase'::regnamespace) and prosecdef
                  and not coalesce(proconfig::text like '%search_path=internal, public, pg_temp%', false)
                """
            )
        );

    [Fact]
    public async Task Another_users_rows_are_invisible_also_through_every_function()
    {
        var job = await system.QueryAsync<Guid>($"select job_id from video_jobs where user_id = '{system.Ben.UserId}'");
        Assert.Equal("RB001", await StateAsync("authenticated", $"select * from get_video_status('{job}')"));
        Assert.Equal("RB001", await StateAsync("authenticated", $"select delete_video_job('{job}')"));
        Assert.Equal("RB001", await StateAsync("authenticated", $"select match_user_id('{system.Ben.UserId}')"));
        Assert.Equal(
            0L,
            await ValueAsync("authenticated", $"select count(*) from get_video_jobs(100, 0, null::uuid, null::text, null::text) j where j.job_id = '{job}'")
        );
        var file = await system.QueryAsync<string>($"select name from storage_objects where user_id = '{system.Ben.UserId}' limit 1");
        Assert.Equal(0L, await ValueAsync("authenticated", $"select count(*) from get_my_storage_object('videos', '{file}')"));
        var session = await system.QueryAsync<Guid>($"select id from sessions where user_id = '{system.Ben.UserId}' limit 1");
        Assert.Equal("RB001", await StateAsync("authenticated", $"select end_session('{session}')"));
        Assert.Equal(0L, await ValueAsync("authenticated", $"select count(*) from list_my_sessions() s where s.session_id = '{session}'"));
        // Claims that name nobody, or a session that is not theirs, are nobody.
        Assert.Equal(
            "RB001",
            await StateAsync(
                "authenticated",
                "select * from get_user_credits()",
                $$"""{"sub":"{{system.Ben.UserId}}","role":"authenticated","session_id":"{{Guid.NewGuid()}}"}"""
            )
        );
    }

    private async Task CompareAsync(string role, string table, string expected, StringBuilder wrong)
    {
        var found = $"{await SelectAsync(role, table)} {await InsertAsync(role, table)} {await UpdateAsync(role, table)} {await DeleteAsync(role, table)}";
        if (found != expected)
        {
            wrong.AppendLine($"{role} on {table}: expected {expected}, found {found}");
        }
    }

    private async Task<string> SelectAsync(string role, string table)
    {
        if (await StateAsync(role, $"select count(*) from {table}") == "42501")
        {
            return "denied";
        }
        var seen = (long)(await ValueAsync(role, $"select count(*) from {table}"))!;
        var all = await system.QueryAsync<long>($"select count(*) from {table}");
        var owner =
            table == "public.users" ? "id"
            : await system.QueryAsync<bool>($"select exists (select from pg_attribute where attrelid = '{table}'::regclass and attname = 'user_id')")
                ? "user_id"
            : null;
        if (owner is not null && seen > 0)
        {
            var foreign = (long)(await ValueAsync(role, $"select count(*) from {table} where {owner} <> '{system.Ada.UserId}'"))!;
            return foreign == 0 ? "own" : $"FOREIGN ROWS ({foreign})";
        }
        return seen == 0 ? "none"
            : seen < all ? "some"
            : "all";
    }

    private async Task<string> InsertAsync(string role, string table) =>
        await StateAsync(role, $"insert into {table} default values") == "42501" ? "denied" : "allowed";

    private async Task<string> UpdateAsync(string role, string table)
    {
        var allowed = new List<string>();
        var isForeign = false;
        foreach (
            var column in await system.RowsAsync(
                $"select attname from pg_attribute where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped and attidentity = '' order by attname"
            )
        )
        {
            if (await StateAsync(role, $"update {table} set {column} = default") != "42501")
            {
                allowed.Add(column);
                isForeign |=
                    (long)
                        (
                            await ValueAsync(
                                role,
                                $"with changed as (update {table} set {column} = default returning {(table == "public.users" ? "id" : "1")} as owner) select count(*) from changed where owner::text <> '{system.Ada.UserId}'"
                            )
                        )! > 0;
            }
        }
        return allowed.Count == 0 ? "denied" : $"{(isForeign ? "FOREIGN" : "own")}:{string.Join(',', allowed)}";
    }

    private async Task<string> DeleteAsync(string role, string table) => await StateAsync(role, $"delete from {table}") == "42501" ? "denied" : "allowed";

    /// <summary>The SQL state that a statement ends with as a role; "00000" when it works. Nothing of it is kept.</summary>
    private async Task<string> StateAsync(string role, string sql, string? claims = null)
    {
        try
        {
            await ValueAsync(role, sql, claims);
            return "00000";
        }
        catch (PostgresException error)
        {
            return error.SqlState;
        }
    }

    private async Task<object?> ValueAsync(string role, string sql, string? claims = null)
    {
        await using var connection = new NpgsqlConnection(system.Owner);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        claims ??= role switch
        {
            "authenticated" => Encoding.UTF8.GetString(Convert.FromBase64String(Pad(system.Ada.AccessToken.Split('.')[1]))),
            _ => $$"""{"role":"{{role}}"}""",
        };
        await using (
            var prepare = new NpgsqlCommand("select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)", connection)
            {
                Parameters =
                {
                    new() { Value = role },
                    new() { Value = claims },
                },
            }
        )
        {
            await prepare.ExecuteNonQueryAsync();
        }
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private Task<List<string>> TablesAsync() =>
        system.RowsAsync(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')"
        );

    private static string Pad(string part) => part.Replace('-', '+').Replace('_', '/').PadRight((part.Length + 3) / 4 * 4, '=');
}

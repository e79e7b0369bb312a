using System.Text.Json.Nodes;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>Where the rule is on, nothing goes to an AI provider without a consent to the version that holds and to whom the model sends; whoever takes it back gets back what has not gone out.</summary>
[Quick]
public sealed class AiConsentTests(SqlDatabase database)
{
    private const string Press =
        "select job_id from generate_video(gen_random_uuid(), jsonb_build_object('model_id', $1, 'prompt', 'A boat'), '203.0.113.7', '{}', 1800)";

    private static readonly Guid Fast = Guid.Parse(Catalog.FastModel);

    private async Task<(SqlCase Sql, Guid User)> BeginAsync(string mode = "required")
    {
        var sql = await database.BeginAsync();
        await sql.RunAsync("select announce_consent_rule($1, false, null)", mode);
        await sql.RunAsync("select announce_provider('fal', true, 60, 'fal.ai')");
        return (sql, await sql.NewUserAsync(100));
    }

    private static async Task<string> VersionAsync(SqlCase sql) =>
        await sql.ValueAsync<string>("select get_consent_terms('ai_processing', 'en') ->> 'version'");

    [Fact]
    public async Task Without_a_current_consent_a_press_is_refused_with_the_version_and_everybody_behind_the_gateway()
    {
        var (sql, user) = await BeginAsync();
        await using var _ = sql;
        await sql.BecomeAsync(user);
        Assert.Equal("ERR_4013", await sql.RefusalAsync(Press, Fast));
        var missing = JsonNode.Parse(await sql.ValueAsync<string>("select my_press_refusal()::text"))!["details"]!;
        Assert.Equal(await VersionAsync(sql), (string?)missing["version"]);
        var recipients = missing["recipients"]!.AsArray().Select(name => (string)name!).ToList();
        Assert.Contains("fal.ai", recipients);
        Assert.Contains("Google", recipients);
        Assert.Contains("Kling AI (Kuaishou)", recipients);
        await sql.RunAsync("select record_consent('ai_processing', 'an older one', true)");
        Assert.Equal("ERR_4013", await sql.RefusalAsync(Press, Fast));
        await sql.RunAsync("select record_consent('ai_processing', $1, true)", await VersionAsync(sql));
        Assert.Equal("none", await sql.RefusalAsync(Press, Fast));
        await sql.AssertSoundAsync();
    }

    [Fact]
    public async Task A_new_version_asks_everybody_again_and_a_new_recipient_those_who_use_its_model()
    {
        var (sql, user) = await BeginAsync();
        await using var _ = sql;
        await sql.BecomeAsync(user);
        await sql.RunAsync("select record_consent('ai_processing', $1, true)", await VersionAsync(sql));
        await sql.BecomeOwnerAsync();
        await sql.RunAsync(
            "insert into models (id, name, provider, provider_model_id, vendor, required_fields) select '00000000-0000-4000-8000-0000000000aa', 'New', 'fal', 'fal-ai/new-thing', 'Newcomer Ltd', required_fields from models where id = $1",
            Fast
        );
        await sql.BecomeAsync(user);
        Assert.Equal("ERR_4013", await sql.RefusalAsync(Press, Guid.Parse("00000000-0000-4000-8000-0000000000aa")));
        Assert.Equal("none", await sql.RefusalAsync(Press, Fast));
        await sql.RunAsync("select record_consent('ai_processing', $1, true)", await VersionAsync(sql));
        Assert.Equal("none", await sql.RefusalAsync(Press, Guid.Parse("00000000-0000-4000-8000-0000000000aa")));
        await sql.BecomeOwnerAsync();
        await sql.RunAsync("insert into consent_terms (kind, version, texts) values ('ai_processing', 'the next', '{\"en\":\"Other words\"}')");
        await sql.BecomeAsync(user);
        Assert.Equal("ERR_4013", await sql.RefusalAsync(Press, Fast));
    }

    [Fact]
    public async Task Taking_it_back_ends_and_refunds_what_waits_and_lets_what_runs_go_on_but_never_out_again()
    {
        var (sql, user) = await BeginAsync();
        await using var _ = sql;
        await sql.BecomeAsync(user);
        await sql.RunAsync("select record_consent('ai_processing', $1, true)", await VersionAsync(sql));
        var running = await sql.PressAsync(user);
        var waiting = await sql.PressAsync(user);
        await sql.BecomeOwnerAsync();
        await sql.RunAsync("update video_jobs set leased_by = 'a worker', lease_until = now() + interval '1 hour' where job_id = $1", running);
        await sql.RunAsync("select begin_submission($1, 'a worker', 900)", running);
        await sql.BecomeAsync(user);
        await sql.RunAsync("select record_consent('ai_processing', '', false)");
        await sql.BecomeOwnerAsync();
        Assert.Equal(["failed|ERR_4013"], await sql.RowsAsync("select status, error_code from video_jobs where job_id = $1", waiting));
        // What is with its provider is not cancelled there: it is delivered, as what was sent cannot be taken back.
        Assert.Equal(["processing|"], await sql.RowsAsync("select status, cancel_requested_at from video_jobs where job_id = $1", running));
        Assert.Equal(92, await sql.ValueAsync<int>("select credits_remaining from users where id = $1", user));
        // Its provider says no for now: it does not go out a second time.
        await sql.RunAsync("select record_submission_refused((select id from job_submissions where job_id = $1), 'a worker', 'busy', 1, 1800)", running);
        Assert.Equal(["failed|ERR_4013"], await sql.RowsAsync("select status, error_code from video_jobs where job_id = $1", running));
        Assert.Equal(100, await sql.ValueAsync<int>("select credits_remaining from users where id = $1", user));
        await sql.AssertSoundAsync();
    }

    [Fact]
    public async Task A_repeated_key_finds_its_answer_and_a_retry_by_support_needs_the_consent_too()
    {
        var (sql, user) = await BeginAsync();
        await using var _ = sql;
        await sql.BecomeAsync(user);
        await sql.RunAsync("select record_consent('ai_processing', $1, true)", await VersionAsync(sql));
        const string keyed =
            "select job_id from generate_video('00000000-0000-4000-8000-00000000aaaa', jsonb_build_object('model_id', $1, 'prompt', 'A boat'), '203.0.113.7', '{}', 1800)";
        var job = await sql.ValueAsync<Guid>(keyed, Fast);
        await sql.RunAsync("select record_consent('ai_processing', '', false)");
        Assert.Equal(job, await sql.ValueAsync<Guid>(keyed, Fast));
        await sql.BecomeOwnerAsync();
        Assert.Equal(
            "ERR_4013",
            await sql.RefusalAsync(
                "select internal.insert_video_job($1, m.id, m.name, m.provider, null, 'A boat', '{}', null, 0, 60, $2) from models m where m.id = $3",
                user,
                job,
                Fast
            )
        );
    }

    [Fact]
    public async Task Shipped_builds_are_exempt_until_a_date_and_signed_in_callers_are_not()
    {
        var (sql, user) = await BeginAsync();
        await using var _ = sql;
        async Task<string> PressUnverifiedAsync()
        {
            await sql.BecomeOwnerAsync();
            await sql.RunAsync(
                "select set_config('request.jwt.claims', jsonb_build_object('sub', $1::uuid, 'role', 'authenticated', 'unverified', true)::text, true)",
                user.ToString()
            );
            await sql.RunAsync("set local role authenticated");
            return await sql.RefusalAsync(Press, Fast);
        }
        Assert.Equal("ERR_4013", await PressUnverifiedAsync());
        await sql.BecomeOwnerAsync();
        await sql.RunAsync("select announce_consent_rule('required', true, now() + interval '1 day')");
        Assert.Equal("none", await PressUnverifiedAsync());
        await sql.BecomeAsync(user);
        Assert.Equal("ERR_4013", await sql.RefusalAsync(Press, Fast));
        await sql.BecomeOwnerAsync();
        await sql.RunAsync("select announce_consent_rule('required', true, now() - interval '1 day')");
        Assert.Equal("ERR_4013", await PressUnverifiedAsync());
    }

    [Fact]
    public async Task Auto_is_on_in_a_new_production_installation_and_off_in_development_and_where_jobs_exist()
    {
        await using var sql = await database.BeginAsync();
        async Task<string> DecideAsync(string mode, bool isProduction) =>
            await sql.ValueAsync<string>("select announce_consent_rule($1, $2, null) ->> 'state'", mode, isProduction);
        await sql.RunAsync("update installation set ai_consent = null");
        Assert.Equal("development", await DecideAsync("auto", false));
        Assert.Equal("on", await DecideAsync("auto", true));
        // A node in Development beside it does not switch it off, and what was decided outlives the first jobs.
        Assert.Equal("on", await DecideAsync("auto", false));
        await sql.RunAsync("update installation set ai_consent = null");
        var user = await sql.NewUserAsync(100);
        await sql.PressAsync(user);
        Assert.Equal("off", await DecideAsync("auto", true));
        Assert.Equal("on", await DecideAsync("required", true));
        Assert.Equal("on", await DecideAsync("auto", true));
        Assert.Equal("off", await DecideAsync("off", true));
        await sql.BecomeAsync("reelbase_admin");
        Assert.Equal("off", await sql.ValueAsync<string>("select consent_rule() ->> 'state'"));
    }

    [Fact]
    public async Task A_press_with_a_consent_that_holds_computes_no_terms()
    {
        var (sql, user) = await BeginAsync();
        await using var _ = sql;
        await sql.RunAsync("set local track_functions = 'all'");
        await sql.BecomeAsync(user);
        await sql.RunAsync("select record_consent('ai_processing', $1, true)", await VersionAsync(sql));
        var before = await CallsAsync("get_consent_terms");
        await sql.PressAsync(user);
        Assert.Equal(before, await CallsAsync("get_consent_terms"));
        // Who decides is asked once for a press.
        Assert.Equal(1, await CallsAsync("missing_ai_consent"));

        async Task<long> CallsAsync(string function)
        {
            await sql.BecomeOwnerAsync();
            return await sql.ValueAsync<long>(
                "select coalesce(sum(pg_stat_get_xact_function_calls(oid)), 0)::bigint from pg_proc where proname = $1 and pronamespace in ('public'::regnamespace, 'internal'::regnamespace)",
                function
            );
        }
    }

    [Fact]
    public async Task A_consent_to_a_version_that_is_not_published_names_nobody_and_is_asked_for_again_once_it_is()
    {
        var (sql, user) = await BeginAsync();
        await using var _ = sql;
        await sql.BecomeAsync(user);
        await sql.RunAsync("select record_consent('ai_processing', 'of next year', true)");
        await sql.BecomeOwnerAsync();
        await sql.RunAsync("insert into consent_terms (kind, version, texts) values ('ai_processing', 'of next year', '{\"en\":\"Other words\"}')");
        await sql.BecomeAsync(user);
        Assert.Equal("ERR_4013", await sql.RefusalAsync(Press, Fast));
        await sql.RunAsync("select record_consent('ai_processing', 'of next year', true)");
        Assert.Equal("none", await sql.RefusalAsync(Press, Fast));
    }

    [Fact]
    public async Task A_start_that_names_no_date_keeps_the_one_that_another_named()
    {
        await using var sql = await database.BeginAsync();
        await sql.RunAsync("select announce_consent_rule('required', true, '2031-05-01T00:00:00Z')");
        Assert.Equal("2031-05-01T00:00:00.000Z", await sql.ValueAsync<string>("select announce_consent_rule('required', true, null) ->> 'exempt_until'"));
    }

    [Fact]
    public async Task A_model_that_nobody_knows_the_vendor_of_is_named_whatever_its_id_begins_with()
    {
        var (sql, _) = await BeginAsync();
        await using var _ = sql;
        await sql.RunAsync(
            "insert into models (name, provider, provider_model_id, required_fields) select n, 'fal', n || '/thing', required_fields from models, unnest(array['fal-ai', 'acme']) n where id = $1",
            Fast
        );
        Assert.Equal(
            ["acme,fal-ai"],
            await sql.RowsAsync("select array_to_string(array(select jsonb_array_elements_text(consent_rule() -> 'models_without_vendor')), ',')")
        );
        await sql.RunAsync("update models set vendor = 'Acme Inc' where name in ('acme', 'fal-ai')");
        Assert.Equal(["0"], await sql.RowsAsync("select jsonb_array_length(consent_rule() -> 'models_without_vendor')"));
    }
}

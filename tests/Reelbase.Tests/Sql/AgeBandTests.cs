using System.Text.Json.Nodes;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>A declared age decides whether an account may make videos, and nothing else; no date and no history of it is kept.</summary>
[Quick]
public sealed class AgeBandTests(SqlDatabase database)
{
    private const string Press =
        "select job_id from generate_video(gen_random_uuid(), jsonb_build_object('model_id', $1, 'prompt', 'A boat'), '203.0.113.7', '{}', 1800)";

    private static readonly Guid Fast = Guid.Parse(Catalog.FastModel);

    /// <summary>With policies it holds the installation's row until its end, which others wait for; what is about no policy goes without.</summary>
    private async Task<(SqlCase Sql, Guid User)> BeginAsync(bool hasPolicies = true)
    {
        var sql = await database.BeginAsync();
        if (!hasPolicies)
        {
            return (sql, await sql.NewUserAsync());
        }
        await sql.RunAsync("select announce_age_policies('{\"under_13\":\"block\",\"13_15\":\"guardian\",\"16_17\":\"guardian\",\"18_plus\":\"allow\"}')");
        return (sql, await sql.NewUserAsync(100));
    }

    private static async Task<JsonNode> DeclareAsync(SqlCase sql, Guid user, int? lower, string declaration = "self", int? upper = null)
    {
        await sql.BecomeAsync(user);
        return JsonNode.Parse(
            await sql.ValueAsync<string>("select set_age_band($1::integer, $2::integer, $3)::text", $"{lower ?? 0}", $"{upper ?? 150}", declaration)
        )!;
    }

    private static async Task<string> RefusedAsync(SqlCase sql, Guid user)
    {
        await sql.BecomeAsync(user);
        return await sql.RefusalAsync(Press, Fast);
    }

    private static async Task<List<string>> KeptAsync(SqlCase sql, Guid user)
    {
        await sql.BecomeOwnerAsync();
        return await sql.RowsAsync("select band, declaration from age_bands where user_id = $1", user);
    }

    [Theory]
    [InlineData(null, 12, "under_13")]
    [InlineData(0, 12, "under_13")]
    [InlineData(12, 17, "under_13")]
    [InlineData(null, 17, "under_13")]
    [InlineData(13, 15, "13_15")]
    [InlineData(15, null, "13_15")]
    [InlineData(16, 17, "16_17")]
    [InlineData(17, null, "16_17")]
    [InlineData(18, null, "18_plus")]
    [InlineData(21, 150, "18_plus")]
    public async Task The_youngest_band_that_a_range_allows_is_kept(int? lower, int? upper, string band)
    {
        var (sql, user) = await BeginAsync(hasPolicies: false);
        await using var _ = sql;
        await sql.BecomeAsync(user);
        Assert.Equal(
            band,
            await sql.ValueAsync<string>(
                "select set_age_band($1::integer, $2::integer, 'self') ->> 'band'",
                (object?)lower ?? DBNull.Value,
                (object?)upper ?? DBNull.Value
            )
        );
        Assert.Equal([$"{band}|self"], await KeptAsync(sql, user));
    }

    [Theory]
    [InlineData("null, null, 'self'")]
    [InlineData("-1, 12, 'self'")]
    [InlineData("151, null, 'self'")]
    [InlineData("16, 13, 'self'")]
    [InlineData("13, 151, 'self'")]
    [InlineData("null, -1, 'self'")]
    [InlineData("13, 15, null")]
    [InlineData("13, 15, 'parent'")]
    public async Task What_is_no_range_is_refused_and_nothing_is_kept(string arguments)
    {
        var (sql, user) = await BeginAsync(hasPolicies: false);
        await using var _ = sql;
        await sql.BecomeAsync(user);
        Assert.Equal("ERR_4000", await sql.RefusalAsync($"select set_age_band({arguments})"));
        Assert.Empty(await KeptAsync(sql, user));
    }

    [Fact]
    public async Task Each_policy_decides_a_press_and_nothing_declared_refuses_nothing()
    {
        var (sql, user) = await BeginAsync();
        await using var _ = sql;
        Assert.Equal("none", await RefusedAsync(sql, user));
        Assert.False((bool)(await DeclareAsync(sql, user, 0))["may_generate"]!);
        Assert.Equal("ERR_4014", await RefusedAsync(sql, user));
        Assert.Equal("""{"code": "ERR_4014", "details": {"policy": "block"}}""", await sql.ValueAsync<string>("select my_press_refusal()::text"));
        Assert.Equal("guardian", (string)(await DeclareAsync(sql, user, 13))["policy"]!);
        Assert.Equal("ERR_4014", await RefusedAsync(sql, user));
        Assert.Equal(
            """{"code": "ERR_4014", "details": {"kind": "guardian", "policy": "guardian"}}""",
            await sql.ValueAsync<string>("select my_press_refusal()::text")
        );
        await sql.RunAsync("select record_consent('guardian', '1', true)");
        Assert.Equal("none", await RefusedAsync(sql, user));
        Assert.True((bool)(await DeclareAsync(sql, user, 18))["may_generate"]!);
        Assert.Equal("none", await RefusedAsync(sql, user));
        await sql.AssertSoundAsync();
    }

    [Fact]
    public async Task A_guardians_consent_is_taken_back_by_the_app_and_by_Apples_word_and_what_waits_ends_with_its_credits_back()
    {
        var (sql, user) = await BeginAsync();
        await using var _ = sql;
        await DeclareAsync(sql, user, 16, "guardian");
        await sql.RunAsync("select record_consent('guardian', '1', true)");
        var waiting = await sql.PressAsync(user);
        await sql.BecomeAsync(user);
        await sql.RunAsync("select record_consent('guardian', '', false)");
        await sql.BecomeOwnerAsync();
        Assert.Equal(["failed|ERR_4014"], await sql.RowsAsync("select status, error_code from video_jobs where job_id = $1", waiting));
        Assert.Equal(100, await sql.ValueAsync<int>("select credits_remaining from users where id = $1", user));
        Assert.Equal("ERR_4014", await RefusedAsync(sql, user));
        await sql.RunAsync("select record_consent('guardian', '1', true)");
        Assert.Equal("none", await RefusedAsync(sql, user));
        await sql.BecomeOwnerAsync();
        await sql.RunAsync("update users set app_transactions = array['Production:age'] where id = $1", user);
        await sql.RunAsync("select rescind_consent('Production', 'age', extract(epoch from clock_timestamp()) * 1000)");
        Assert.Equal("ERR_4014", await RefusedAsync(sql, user));
        await sql.AssertSoundAsync();
    }

    [Fact]
    public async Task A_band_that_may_not_ends_what_waits_and_never_sends_again_what_a_provider_refused()
    {
        var (sql, user) = await BeginAsync();
        await using var _ = sql;
        var running = await sql.PressAsync(user);
        var waiting = await sql.PressAsync(user);
        await sql.RunAsync("update video_jobs set leased_by = 'a worker', lease_until = now() + interval '1 hour' where job_id = $1", running);
        await sql.RunAsync("select begin_submission($1, 'a worker', 900)", running);
        await DeclareAsync(sql, user, 0);
        await sql.BecomeOwnerAsync();
        Assert.Equal(["failed|ERR_4014"], await sql.RowsAsync("select status, error_code from video_jobs where job_id = $1", waiting));
        Assert.Equal(["processing|"], await sql.RowsAsync("select status, cancel_requested_at from video_jobs where job_id = $1", running));
        await sql.RunAsync("select record_submission_refused((select id from job_submissions where job_id = $1), 'a worker', 'busy', 1, 1800)", running);
        Assert.Equal(["failed|ERR_4014"], await sql.RowsAsync("select status, error_code from video_jobs where job_id = $1", running));
        Assert.Equal(100, await sql.ValueAsync<int>("select credits_remaining from users where id = $1", user));
        // Support makes none of them again either.
        Assert.Equal(
            "ERR_4014",
            await sql.RefusalAsync(
                "select internal.insert_video_job($1, m.id, m.name, m.provider, null, 'A boat', '{}', null, 0, 60, $2) from models m where m.id = $3",
                user,
                waiting,
                Fast
            )
        );
        await sql.AssertSoundAsync();
    }

    [Fact]
    public async Task What_a_guardian_or_a_check_has_said_is_made_older_by_such_a_declaration_only()
    {
        var (sql, user) = await BeginAsync(hasPolicies: false);
        await using var _ = sql;
        await DeclareAsync(sql, user, 18);
        await DeclareAsync(sql, user, 13, "guardian");
        const string older = "select set_age_band(18, null, 'self')";
        Assert.Equal("ERR_4012", await sql.RefusalAsync(older));
        // A younger one of the user's own holds, and is no way round.
        await DeclareAsync(sql, user, 0);
        Assert.Equal("ERR_4012", await sql.RefusalAsync(older));
        Assert.Equal(["under_13|guardian"], await KeptAsync(sql, user));
        await DeclareAsync(sql, user, 18, "checked");
        Assert.Equal(["18_plus|checked"], await KeptAsync(sql, user));
        await DeclareAsync(sql, user, 18);
        Assert.Equal(["18_plus|checked"], await KeptAsync(sql, user));
    }

    [Fact]
    public async Task A_merge_keeps_the_younger_band_and_the_stronger_declaration_and_ends_what_may_not_be_made()
    {
        var (sql, guest) = await BeginAsync();
        await using var _ = sql;
        var member = await sql.NewUserAsync(100, isGuest: false);
        await DeclareAsync(sql, member, 18, "checked");
        var waiting = await sql.PressAsync(member);
        await DeclareAsync(sql, guest, 13);
        await sql.BecomeOwnerAsync();
        await sql.RunAsync("select internal.merge_accounts($1, $2)", guest, member);
        Assert.Equal(["13_15|checked"], await KeptAsync(sql, member));
        Assert.Empty(await KeptAsync(sql, guest));
        Assert.Equal(["failed|ERR_4014"], await sql.RowsAsync("select status, error_code from video_jobs where job_id = $1", waiting));
        // One that has none changes nothing, and one that has the only one brings it.
        var second = await sql.NewUserAsync();
        await sql.RunAsync("select internal.merge_accounts($1, $2)", second, member);
        Assert.Equal(["13_15|checked"], await KeptAsync(sql, member));
        var third = await sql.NewUserAsync();
        var other = await sql.NewUserAsync(isGuest: false);
        await DeclareAsync(sql, third, 16, "guardian");
        await sql.BecomeOwnerAsync();
        await sql.RunAsync("select internal.merge_accounts($1, $2)", third, other);
        Assert.Equal(["16_17|guardian"], await KeptAsync(sql, other));
        await sql.AssertSoundAsync();
    }

    /// <summary>Whoever only knows a device id is a guest of their own until Apple has spoken; what they declared and agreed to there is not the known guest's word.</summary>
    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "13_15|guardian")]
    public async Task What_a_guest_said_whom_nobody_has_proven_stays_outside_the_account_of_the_device(bool isProven, string kept)
    {
        var (sql, known) = await BeginAsync(hasPolicies: false);
        await using var _ = sql;
        var stranger = await sql.NewUserAsync();
        await sql.RunAsync("insert into temporary_guests (user_id, device_hash, token_hash) values ($1, 'a device', sha256('a token'))", stranger);
        await sql.RunAsync("update users set app_transactions = '{\"of-the-stranger\"}' where id = $1", stranger);
        await DeclareAsync(sql, stranger, 13, "guardian");
        await sql.RunAsync("select record_consent('ai_processing', '1', true)");
        await sql.BecomeOwnerAsync();
        Assert.True(await sql.ValueAsync<bool>("select internal.merge_temporary_guest($1, $2, $3)", stranger, known, isProven));
        Assert.Equal(kept.Length > 0 ? [kept] : [], await KeptAsync(sql, known));
        Assert.Equal(
            isProven ? ["1|1"] : ["0|0"],
            await sql.RowsAsync(
                "select (select count(*) from user_consents c where c.user_id = u.id)::text, cardinality(u.app_transactions)::text from users u where u.id = $1",
                known
            )
        );
        await sql.AssertSoundAsync();
    }

    /// <summary>Builds that were shipped before declare nothing; who only names a user id neither says nor hears an age.</summary>
    [Fact]
    public async Task Whoever_only_names_a_user_id_neither_declares_nor_reads_it()
    {
        var (sql, user) = await BeginAsync(hasPolicies: false);
        await using var _ = sql;
        await DeclareAsync(sql, user, 13, "guardian");
        await sql.BecomeOwnerAsync();
        await sql.RunAsync(
            "select set_config('request.jwt.claims', jsonb_build_object('sub', $1, 'role', 'authenticated', 'unverified', true)::text, true)",
            user
        );
        await sql.BecomeAsync("authenticated");
        Assert.Equal("ERR_4005", await sql.RefusalAsync("select set_age_band(18, 150, 'checked')::text"));
        Assert.Null(JsonNode.Parse(await sql.ValueAsync<string>("select export_user_data(3)::text"))!["age_band"]);
    }

    [Fact]
    public async Task It_is_in_the_users_own_export_and_goes_with_the_account()
    {
        var (sql, user) = await BeginAsync(hasPolicies: false);
        await using var _ = sql;
        await sql.BecomeAsync(user);
        Assert.Null(JsonNode.Parse(await sql.ValueAsync<string>("select export_user_data(3)::text"))!["age_band"]);
        await DeclareAsync(sql, user, 13, "guardian");
        var export = JsonNode.Parse(await sql.ValueAsync<string>("select export_user_data(3)::text"))!;
        Assert.Equal("""{"band":"13_15","declaration":"guardian"}""", export["age_band"]!.ToJsonString());
        await sql.BecomeOwnerAsync();
        await sql.RunAsync("select internal.erase_account($1)", user);
        Assert.Empty(await KeptAsync(sql, user));
    }

    [Fact]
    public async Task No_date_and_no_moment_of_it_is_kept()
    {
        await using var sql = await database.BeginAsync();
        Assert.Equal(
            ["band|text", "declaration|text", "user_id|uuid"],
            await sql.RowsAsync(
                "select column_name, data_type from information_schema.columns where table_schema = 'public' and table_name = 'age_bands' order by 1"
            )
        );
    }
}

using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>What a guardian took back at Apple holds through merges and through however many downloads an account is known by, until a guardian agrees again.</summary>
[Quick]
public sealed class GuardianConsentTests(SqlDatabase database)
{
    private const string Rescinded = "Production:zzz";

    private async Task<SqlCase> BeginAsync()
    {
        var sql = await database.BeginAsync();
        await sql.RunAsync("insert into rescinded_consents values ($1, now() - interval '1 day')", Rescinded);
        return sql;
    }

    private static Task<bool> IsRescindedAsync(SqlCase sql, Guid user) => sql.ValueAsync<bool>("select internal.guardian_consent_is_rescinded($1)", user);

    private static Task KnowAsync(SqlCase sql, Guid user, params string[] downloads) =>
        sql.RunAsync("update users set app_transactions = $2 where id = $1", user, downloads);

    [Fact]
    public async Task A_merge_with_a_guest_whose_guardian_took_consent_back_ends_the_members_sessions_and_what_waits()
    {
        await using var sql = await BeginAsync();
        var guest = await sql.NewUserAsync();
        var member = await sql.NewUserAsync(100, isGuest: false);
        var waiting = await sql.PressAsync(member);
        await KnowAsync(sql, guest, Rescinded);
        await sql.RunAsync("insert into user_consents (user_id, kind, version, granted_at) values ($1, 'guardian', '1', now() - interval '2 days')", member);
        await sql.RunAsync("insert into sessions (user_id) values ($1), ($2)", guest, member);
        await sql.RunAsync("select internal.merge_accounts($1, $2)", guest, member);
        Assert.Empty(await sql.RowsAsync("select id from sessions where user_id in ($1, $2) and revoked_at is null", guest, member));
        Assert.Equal(["failed|ERR_4013"], await sql.RowsAsync("select status, error_code from video_jobs where job_id = $1", waiting));
        Assert.Empty(await sql.RowsAsync("select id from user_consents where user_id = $1 and withdrawn_at is null", member));
        Assert.Equal(100, await sql.ValueAsync<int>("select credits_remaining from users where id = $1", member));
        await sql.AssertSoundAsync();
    }

    [Fact]
    public async Task A_merge_of_accounts_whose_guardians_agree_ends_no_session()
    {
        await using var sql = await BeginAsync();
        var guest = await sql.NewUserAsync();
        var member = await sql.NewUserAsync(isGuest: false);
        await KnowAsync(sql, guest, Rescinded);
        await sql.RunAsync("insert into user_consents (user_id, kind, version) values ($1, 'guardian', '1')", member);
        await sql.RunAsync("insert into sessions (user_id) values ($1)", member);
        await sql.RunAsync("select internal.merge_accounts($1, $2)", guest, member);
        Assert.Single(await sql.RowsAsync("select id from sessions where user_id = $1 and revoked_at is null", member));
        Assert.False(await IsRescindedAsync(sql, member));
    }

    [Fact]
    public async Task Agreeing_again_to_the_same_version_lifts_the_block()
    {
        await using var sql = await BeginAsync();
        var user = await sql.NewUserAsync();
        await KnowAsync(sql, user, Rescinded);
        // Older than Apple's word, and not withdrawn by it: no account was known by the download then.
        await sql.RunAsync("insert into user_consents (user_id, kind, version, granted_at) values ($1, 'guardian', '1', now() - interval '2 days')", user);
        Assert.True(await IsRescindedAsync(sql, user));
        await sql.BecomeAsync(user);
        await sql.RunAsync("select record_consent('guardian', '1', true)");
        await sql.BecomeOwnerAsync();
        Assert.False(await IsRescindedAsync(sql, user));
    }

    [Fact]
    public async Task The_download_whose_guardian_took_consent_back_is_kept_however_many_others_come()
    {
        await using var sql = await BeginAsync();
        var others = Enumerable.Range(10, 20).Select(number => $"Production:{number}").ToArray();
        var guest = await sql.NewUserAsync();
        var member = await sql.NewUserAsync(isGuest: false);
        await KnowAsync(sql, guest, Rescinded);
        await KnowAsync(sql, member, others);
        await sql.RunAsync("select internal.merge_accounts($1, $2)", guest, member);
        Assert.True(await IsRescindedAsync(sql, member));
        foreach (var number in Enumerable.Range(50, 25))
        {
            await sql.RunAsync("select internal.note_app_transaction($1, 'Production', $2)", member, $"{number}");
        }
        Assert.True(await IsRescindedAsync(sql, member));
        Assert.Equal(
            ["20|True|True"],
            await sql.RowsAsync(
                "select cardinality(app_transactions), app_transactions @> array['Production:74'], not app_transactions @> array['Production:10'] from users where id = $1",
                member
            )
        );
    }
}

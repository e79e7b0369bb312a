using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>A key stands for one request of one user: what comes with it again, and what comes of that.</summary>
[Quick]
public sealed class IdempotencyTests(SqlDatabase database)
{
    private const string Model = "\"model_id\": \"" + Catalog.FastModel + "\"";

    [Theory]
    [InlineData("{" + Model + ", \"prompt\": \"A boat\"}", "replayed")]
    // Other spaces, another order, what is null left out: the same request.
    [InlineData("{\"prompt\":   \"A boat\", " + Model + "}", "replayed")]
    [InlineData("{" + Model + ", \"prompt\": \"A boat\", \"image_url\": null, \"theme_id\": null}", "replayed")]
    [InlineData("{" + Model + ", \"prompt\": \"A boat \"}", "ERR_4009")]
    [InlineData("{" + Model + ", \"prompt\": \"a boat\"}", "ERR_4009")]
    [InlineData("{" + Model + ", \"prompt\": \"A boat\", \"settings\": {\"duration\": 4}}", "ERR_4009")]
    [InlineData("{" + Model + ", \"prompt\": \"A boat\", \"settings\": {}}", "ERR_4009")]
    public async Task The_same_key_again(string request, string expected)
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(100);
        var key = Guid.NewGuid();
        await db.BecomeAsync(user);
        var first = await GenerateAsync(db, key, "{" + Model + ", \"prompt\": \"A boat\"}");
        Assert.Equal("False", first[0]);
        if (expected == "replayed")
        {
            var again = await GenerateAsync(db, key, request);
            Assert.Equal("True", again[0]);
            Assert.Equal(first[1..], again[1..]);
        }
        else
        {
            Assert.Equal(expected, await RefusedAsync(db, key, request));
        }
        await db.BecomeOwnerAsync();
        Assert.Equal(
            ["92|1"],
            await db.RowsAsync("select credits_remaining, (select count(*) from video_jobs where user_id = u.id) from users u where id = $1", user)
        );
        await db.AssertSoundAsync();
    }

    [Fact]
    public async Task Another_users_key_neither_reveals_nor_blocks_mine()
    {
        await using var db = await database.BeginAsync();
        var (ada, ben) = (await db.NewUserAsync(100), await db.NewUserAsync(100));
        var key = Guid.NewGuid();
        var jobs = new HashSet<string>();
        foreach (var user in new[] { ada, ben })
        {
            await db.BecomeAsync(user);
            var answer = await GenerateAsync(db, key, "{" + Model + ", \"prompt\": \"A boat\"}");
            Assert.Equal("False", answer[0]);
            jobs.Add(answer[1]);
        }
        Assert.Equal(2, jobs.Count);
    }

    [Fact]
    public async Task A_refusal_leaves_the_key_free_and_an_expired_key_is_new()
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync();
        var key = Guid.NewGuid();
        const string request = "{" + Model + ", \"prompt\": \"A boat\"}";
        await db.BecomeAsync(user);
        Assert.Equal("ERR_4001", await RefusedAsync(db, key, request));
        await db.BecomeOwnerAsync();
        await db.RunAsync("select write_ledger($1, 20, 'admin_adjustment')", user);
        await db.BecomeAsync(user);
        var first = await GenerateAsync(db, key, request);
        // A verdict that moderation came to meanwhile does not touch what was accepted.
        Assert.Equal(
            "True",
            (await db.RowsAsync($$"""select replayed from generate_video('{{key}}', '{{request}}', null, '{}', 1800, '{"code": "ERR_5003"}')"""))[0]
        );
        Assert.Equal(
            "ERR_5003",
            await db.RefusalAsync($$"""select generate_video(gen_random_uuid(), '{{request}}', null, '{}', 1800, '{"code": "ERR_5003"}')""")
        );
        await db.BecomeOwnerAsync();
        await db.RunAsync("update idempotency_log set created_at = now() - interval '2 days', expires_at = now() - interval '1 day' where user_id = $1", user);
        await db.BecomeAsync(user);
        var later = await GenerateAsync(db, key, request);
        Assert.Equal("False", later[0]);
        Assert.NotEqual(first[1], later[1]);
        await db.AssertSoundAsync();
    }

    [Theory]
    [InlineData("update users set banned_at = now() where id = $1", "ERR_4006")]
    [InlineData("update sessions set revoked_at = now() where user_id = $1", "ERR_4005")]
    [InlineData("update models set is_available = false where id = 'MODEL' and $1::uuid is not null", "ERR_4002")]
    [InlineData("update models set sunset_at = now() where id = 'MODEL' and $1::uuid is not null", "ERR_4002")]
    public async Task What_may_not_be_pressed_is_refused_and_nothing_remains(string before, string code)
    {
        await using var db = await database.BeginAsync();
        var user = await db.NewUserAsync(100);
        await db.BecomeAsync(user);
        await db.BecomeOwnerAsync();
        await db.RunAsync(before.Replace("MODEL", Catalog.FastModel, StringComparison.Ordinal), user);
        await db.BecomeAsync("authenticated");
        Assert.Equal(code, await RefusedAsync(db, Guid.NewGuid(), "{" + Model + ", \"prompt\": \"A boat\"}"));
        await db.BecomeOwnerAsync();
        Assert.Equal(["0"], await db.RowsAsync("select count(*) from video_jobs where user_id = $1", user));
        await db.AssertSoundAsync();
    }

    [Fact]
    public async Task An_answer_is_not_overwritten_before_it_expires_whoever_got_past_the_locks()
    {
        await using var db = await database.BeginAsync();
        var (user, key) = (await db.NewUserAsync(), Guid.NewGuid());
        const string keep = "select internal.keep_answer($1, $2, 'an-operation', internal.hash_request('an-operation', 'a request'), $3::jsonb)";
        await db.RunAsync(keep, user, key, """{"first": true}""");
        // A conflict, upon which the call is retried and finds the first answer.
        Assert.Equal("40001", await db.RefusalAsync(keep, user, key, "{}"));
        Assert.Equal(
            ["""{"first": true}|True"""],
            await db.RowsAsync(
                "select response_data, current_setting('reelbase.replayed') = 'true' from internal.find_replay($1, $2, internal.hash_request('an-operation', 'a request'))",
                user,
                key
            )
        );
        Assert.Equal("ERR_4009", await db.RefusalAsync("select internal.find_replay($1, $2, internal.hash_request('another', 'a request'))", user, key));
        await db.RunAsync("update idempotency_log set created_at = now() - interval '25 hours', expires_at = now() where user_id = $1", user);
        Assert.Equal(
            [""],
            await db.RowsAsync("select response_data from internal.find_replay($1, $2, internal.hash_request('another', 'a request'))", user, key)
        );
        await db.RunAsync(keep, user, key, "{}");
    }

    [Theory]
    // The account that stays has an answer of its own under the key, which still counts or does not any more.
    [InlineData("1 hour", "members")]
    [InlineData("-1 hour", "guests")]
    public async Task After_a_merge_the_answer_counts_that_has_not_expired(string left, string expected)
    {
        await using var db = await database.BeginAsync();
        var (guest, member, key) = (await db.NewUserAsync(), await db.NewUserAsync(isGuest: false), Guid.NewGuid());
        const string keep = "select internal.keep_answer($1, $2, 'an-operation', internal.hash_request('an-operation', 'a request'), $3::jsonb)";
        await db.RunAsync(keep, guest, key, """{"whose": "guests"}""");
        await db.RunAsync(keep, member, key, """{"whose": "members"}""");
        await db.RunAsync(
            "update idempotency_log set created_at = now() - interval '2 days', expires_at = now() + $2::interval where user_id = $1",
            member,
            left
        );
        await db.RunAsync("select internal.move_request_logs($1, $2)", guest, member);
        Assert.Equal([expected], await db.RowsAsync("select a.response_data ->> 'whose' from internal.stored_answer($1, $2) a", member, key));
    }

    [Fact]
    public async Task A_hash_is_of_the_bytes_that_stored_answers_of_earlier_releases_have()
    {
        await using var db = await database.BeginAsync();
        Assert.True(
            await db.ValueAsync<bool>(
                """select internal.hash_request('admin-ban-user', convert_to('{"reason": "é"}'::jsonb::text, 'UTF8')) = sha256(convert_to('admin-ban-user:{"reason": "é"}', 'UTF8'))"""
            )
        );
        Assert.True(
            await db.ValueAsync<bool>(
                "select internal.hash_request('redeem-promo-code', '\\x00ff') = sha256(convert_to('redeem-promo-code:', 'UTF8') || '\\x00ff')"
            )
        );
    }

    private static async Task<string[]> GenerateAsync(SqlCase db, Guid key, string request) =>
        (await db.RowsAsync("select replayed, job_id, status_code, response_data from generate_video($1, $2, '203.0.113.7', '{}', 1800)", key, request))[0]
            .Split('|');

    private static Task<string> RefusedAsync(SqlCase db, Guid key, string request) =>
        db.RefusalAsync("select generate_video($1, $2, '203.0.113.7', '{}', 1800)", key, request);
}

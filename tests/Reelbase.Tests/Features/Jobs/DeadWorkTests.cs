using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A row whose work never succeeds is given up after a bounded number of claims, with one alert, and holds up nobody.</summary>
public sealed class DeadWorkTests(DeadWorkTests.Installation system) : IClassFixture<DeadWorkTests.Installation>
{
    public sealed class Installation : TestSystem
    {
        /// <summary>The workers would be quicker than the tests, which claim by themselves here.</summary>
        protected override Dictionary<string, string?> Settings => new() { ["Server:Roles:1"] = "api" };
    }

    /// <summary>Each kind of work: a row of it, how it is claimed, and how its result is recorded.</summary>
    public static TheoryData<string, string, string, string> Kinds =>
        new()
        {
            {
                "push_notifications",
                "insert into push_notifications (user_id, job_id, token, environment, kind, event, model_name) select user_id, job_id, 'token', 'sandbox', 'alert', 'completed', 'M' from video_jobs where user_id = '{user}' returning id::text",
                "select id::text from claim_push_notifications('{token}', 60, 10, 3)",
                "select finish_push_notification('{key}', '{token}', 'sent', null, null, null, null)"
            },
            {
                "apple_authorizations",
                "insert into apple_authorizations (user_id, client_id, stage, secret, revoke_wanted) values ('{user}', 'app', 'revoking', 'x', true) returning id::text",
                "select id::text from claim_apple_authorizations('{token}', 60, 10, 3)",
                "select record_apple_authorization({key}, '{token}', 'revoked', null, null, null)"
            },
            {
                "storage_objects",
                "insert into storage_objects (bucket, name, user_id, state) values ('videos', '{user}/gone.mp4', '{user}', 'deleting') returning id::text",
                "select id::text from claim_deleted_objects('{token}', 60, 10, 3)",
                "select forget_storage_object('{key}', '{token}')"
            },
            {
                "purchase_claims",
                "insert into purchase_claims (user_id, transaction_id) values ('{user}', '2000001') returning user_id || '/' || transaction_id",
                "select user_id || '/' || transaction_id from lease_pending_purchases('{token}', 60, 10, 3)",
                "select finish_purchase_claim('{user}', '2000001', '{token}', null, 0)"
            },
            {
                "inbox_messages",
                "insert into webhook_deliveries (inbox, provider, event_id, event_type, payload) values ('apple_account', 'apple_account', '{user}', 'x', '{{}}') returning id::text",
                "select id::text from claim_inbox_messages('apple_account', '{token}', 60, 10, 3)",
                "select finish_inbox_message({key}, '{token}', null, null, null, 3)"
            },
            {
                "alerts",
                "insert into alerts (kind, dedupe_key, message) values ('poison', '{user}', 'x') returning id::text",
                "select id::text from claim_alerts('{token}', 60, 100, 3)",
                "select finish_alerts(array[{key}], '{token}', null, null, 3)"
            },
        };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_row_whose_worker_never_records_anything_is_dead_after_its_attempts_and_alerted_once(
        string work,
        string insert,
        string claim,
        string record
    )
    {
        var (user, key) = await NewRowAsync(insert);
        Assert.NotNull(record);
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            Assert.Contains(key, await system.RowsAsync(Fill(claim, user, key, $"worker-{attempt}")));
            // Its worker ends without a word. Even when the lease is over the row rests, so that others come first.
            await system.ExecuteAsync($"update {Table(work)} set lease_until = now() - interval '1 second' where {Condition(work, key)}");
            Assert.DoesNotContain(key, await system.RowsAsync(Fill(claim, user, key, "too early")));
            await DueAsync(work, key);
        }
        Assert.DoesNotContain(key, await system.RowsAsync(Fill(claim, user, key, "worker-4")));
        await DueAsync(work, key);
        Assert.DoesNotContain(key, await system.RowsAsync(Fill(claim, user, key, "worker-5")));
        Assert.Equal(["3"], await system.RowsAsync($"select attempt from internal.list_dead_work(100) where work = '{work}' and key = '{key}'"));
        Assert.Equal(
            work == "alerts" ? 0 : 1,
            await system.QueryAsync<long>($"select count(*) from alerts where kind = 'dead_work' and dedupe_key = '{work}:{key}'")
        );
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task What_an_earlier_claim_records_or_renews_after_a_later_one_changes_nothing(string work, string insert, string claim, string record)
    {
        var (user, key) = await NewRowAsync(insert);
        Assert.Contains(key, await system.RowsAsync(Fill(claim, user, key, "frozen")));
        await DueAsync(work, key);
        Assert.Contains(key, await system.RowsAsync(Fill(claim, user, key, "rescuer")));
        var before = await RowAsync(work, key);
        await system.RowsAsync(Fill(record, user, key, "frozen"));
        await system.RowsAsync($"select give_work_back('{work}', '{key}', 'frozen', 'late'), give_work_up('{work}', '{key}', 'frozen', 'late')");
        Assert.Equal(["False"], await system.RowsAsync($"select renew_work('{work}', '{key}', 'frozen', 60)"));
        Assert.Equal(before, await RowAsync(work, key));
        Assert.Equal(["True"], await system.RowsAsync($"select renew_work('{work}', '{key}', 'rescuer', 60)"));
        await system.RowsAsync(Fill(record, user, key, "rescuer"));
        Assert.NotEqual(before, await RowAsync(work, key));
    }

    private async Task<(Guid User, string Key)> NewRowAsync(string insert)
    {
        var phone = await system.NewGuestAsync();
        if (insert.Contains("push_notifications", StringComparison.Ordinal))
        {
            await phone.GenerateAsync("A job for a push");
        }
        var user = phone.UserId;
        return (user, await system.QueryAsync<string>(Fill(insert, user, "", "")));
    }

    private Task DueAsync(string work, string key) =>
        system.ExecuteAsync(
            $"update {Table(work)} set run_after = now() - interval '1 day', lease_until = case when lease_until is not null then now() - interval '1 second' end where {Condition(work, key)}"
        );

    private Task<List<string>> RowAsync(string work, string key) =>
        system.RowsAsync($"select to_jsonb(t) - 'lease_until' from {Table(work)} t where {Condition(work, key)}");

    private static string Table(string work) => work == "inbox_messages" ? "webhook_deliveries" : work;

    private static string Condition(string work, string key) =>
        work == "purchase_claims" ? $"user_id || '/' || transaction_id = '{key}'" : $"id::text = '{key}'";

    private static string Fill(string sql, Guid user, string key, string token) =>
        sql.Replace("{user}", user.ToString(), StringComparison.Ordinal)
            .Replace("{key}", key, StringComparison.Ordinal)
            .Replace("{token}", token, StringComparison.Ordinal)
            .Replace("{{}}", "{}", StringComparison.Ordinal);
}

using Npgsql;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>Rules about money that hold in PostgreSQL itself, whoever asks.</summary>
[Collection(SharedProduct.Name)]
public sealed class LedgerTests(TestSystem system)
{
    [Theory]
    [InlineData("deduct_credits", 0)]
    [InlineData("deduct_credits", -5)]
    [InlineData("add_credits", 0)]
    [InlineData("add_credits", -5)]
    public async Task Amounts_must_be_positive(string function, int amount)
    {
        var phone = await system.NewGuestAsync();
        var third = function == "add_credits" ? ", 'admin_adjustment'" : "";
        Assert.Equal(
            """{"error": "Amount must be positive", "success": false}""",
            await system.QueryAsync<string>($"select {function}('{phone.UserId}', {amount}{third})::text")
        );
        Assert.Equal(10, await phone.CreditsAsync());
    }

    [Fact]
    public async Task Deducting_answers_as_the_contract_says()
    {
        var phone = await system.NewGuestAsync();
        Assert.Equal("""{"success": true, "credits_remaining": 6}""", await system.QueryAsync<string>($"select deduct_credits('{phone.UserId}', 4)::text"));
        Assert.Equal(
            """{"error": "Insufficient credits", "success": false, "current_credits": 6, "required_credits": 7}""",
            await system.QueryAsync<string>($"select deduct_credits('{phone.UserId}', 7)::text")
        );
        Assert.Equal("User not found", await system.QueryAsync<string>($"select deduct_credits('{Guid.NewGuid()}', 1) ->> 'error'"));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_transaction_id_counts_once_also_when_fifty_come_at_once()
    {
        var phone = await system.NewGuestAsync();
        var other = await system.NewGuestAsync();
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 50)
                .Select(number =>
                    system.QueryAsync<string>(
                        $"select coalesce(add_credits('{(number % 2 == 0 ? phone : other).UserId}', 25, 'iap_purchase', 'tx-{phone.UserId}') ->> 'error', 'added')"
                    )
                )
        );
        Assert.Equal(1, answers.Count(answer => answer == "added"));
        Assert.Equal(49, answers.Count(answer => answer == "Transaction already processed"));
        Assert.Equal(45, await phone.CreditsAsync() + await other.CreditsAsync());
        Assert.Equal("User not found", await system.QueryAsync<string>($"select add_credits('{Guid.NewGuid()}', 1, 'iap_purchase') ->> 'error'"));
        await system.AssertLedgerAsync();
    }

    [Theory]
    [InlineData("update quota_log set change = 1000 where user_id = '{0}'")]
    [InlineData("delete from quota_log where user_id = '{0}'")]
    [InlineData("truncate quota_log")]
    public async Task The_ledger_is_append_only_even_for_its_owner(string sql)
    {
        var phone = await system.NewGuestAsync();
        var error = await Assert.ThrowsAsync<PostgresException>(() =>
            system.ExecuteAsync(sql.Replace("{0}", phone.UserId.ToString(), StringComparison.Ordinal))
        );
        Assert.Equal("RB002", error.SqlState);
    }

    [Theory]
    [InlineData("update users set credits_remaining = credits_remaining + 1 where id = '{0}'")]
    [InlineData("insert into quota_log (user_id, change, reason, balance_after) values ('{0}', 5, 'admin_adjustment', 15)")]
    [InlineData("insert into users (id, credits_remaining) values (gen_random_uuid(), 50)")]
    public async Task A_balance_that_its_ledger_does_not_explain_cannot_be_committed(string sql)
    {
        var phone = await system.NewGuestAsync();
        var error = await Assert.ThrowsAsync<PostgresException>(() =>
            system.ExecuteAsync(sql.Replace("{0}", phone.UserId.ToString(), StringComparison.Ordinal))
        );
        Assert.Equal("RB003", error.SqlState);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_row_is_compared_with_its_users_balance_when_it_is_written_and_the_balance_again_at_commit()
    {
        var phone = await system.NewGuestAsync();
        const string row = "insert into quota_log (user_id, change, reason, balance_after) values ('{0}', 5, 'admin_adjustment', 15)";
        foreach (
            var sql in (string[])
                [
                    // The balance would follow: too late.
                    row + "; update users set credits_remaining = 15 where id = '{0}'",
                    // It was right when the row was written.
                    "update users set credits_remaining = 15 where id = '{0}'; " + row + "; update users set credits_remaining = 16 where id = '{0}'",
                    // Of several rows of one statement the last one counts.
                    "update users set credits_remaining = 15 where id = '{0}'; insert into quota_log (user_id, change, reason, balance_after) values ('{0}', 5, 'admin_adjustment', 15), ('{0}', 1, 'admin_adjustment', 16)",
                    // An imported row is judged at commit.
                    "insert into quota_log (user_id, change, reason, balance_after, imported_at) values ('{0}', 5, 'admin_adjustment', 15, now())",
                ]
        )
        {
            var error = await Assert.ThrowsAsync<PostgresException>(() =>
                system.ExecuteAsync($"begin; {sql.Replace("{0}", phone.UserId.ToString(), StringComparison.Ordinal)}; commit")
            );
            Assert.Equal("RB003", error.SqlState);
        }
        await system.ExecuteAsync(
            $"begin; update users set credits_remaining = 16 where id = '{phone.UserId}'; insert into quota_log (user_id, change, reason, balance_after) values ('{phone.UserId}', 5, 'admin_adjustment', 15), ('{phone.UserId}', 1, 'admin_adjustment', 16); commit"
        );
        Assert.Equal(16, await phone.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Rows_that_sum_to_zero_wait_for_whoever_moves_the_balance()
    {
        var phone = await system.NewGuestAsync();
        await using var mover = new NpgsqlConnection(system.Owner);
        await mover.OpenAsync();
        await using var move = new NpgsqlCommand($"begin; select write_ledger('{phone.UserId}', 7, 'admin_adjustment')", mover);
        await move.ExecuteNonQueryAsync();
        var rows = system.ExecuteAsync(
            $"begin; insert into quota_log (user_id, change, reason, balance_after) values ('{phone.UserId}', 5, 'admin_adjustment', 15), ('{phone.UserId}', -5, 'admin_adjustment', 10); commit"
        );
        const string waiting =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%insert into quota_log%' and pid <> pg_backend_pid()";
        await Eventually.IsAsync(() => system.QueryAsync<long>(waiting), waiters => waiters == 1 || rows.IsCompleted);
        await using var commit = new NpgsqlCommand("commit", mover);
        await commit.ExecuteNonQueryAsync();
        Assert.Equal("RB003", (await Assert.ThrowsAsync<PostgresException>(() => rows)).SqlState);
        Assert.Equal(17, await phone.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_table_of_another_schema_hides_no_row_of_a_job()
    {
        var phone = await system.NewGuestAsync(credits: 20);
        await phone.GenerateAndWatchAsync("Hidden");
        var job = await system.QueryAsync<Guid>($"select job_id from video_jobs where user_id = '{phone.UserId}'");
        // More than it took, while the rows that say so are hidden.
        var error = await Assert.ThrowsAsync<PostgresException>(() =>
            system.ExecuteAsync(
                $"begin; create temp table quota_log (like public.quota_log) on commit drop; update users set credits_remaining = credits_remaining + 100 where id = '{phone.UserId}'; insert into public.quota_log (user_id, job_id, change, reason, balance_after) select id, '{job}', 100, 'admin_refund', credits_remaining from users where id = '{phone.UserId}'; commit"
            )
        );
        Assert.Equal(PostgresErrorCodes.CheckViolation, error.SqlState);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_job_has_at_most_one_charge_and_one_refund()
    {
        var phone = await system.NewGuestAsync();
        var last = await phone.GenerateAndWatchAsync("Once [reject]");
        var job = last.GetProperty("job_id").GetString();
        Assert.False(await system.QueryAsync<bool>($"select fail_video_job('{job}', null, 'ERR_5002', null)"));
        foreach (var (change, reason, balance) in new[] { (-8, "video_generation", 2), (8, "generation_failed_refund", 18) })
        {
            var error = await Assert.ThrowsAsync<PostgresException>(() =>
                system.ExecuteAsync(
                    $"begin; update users set credits_remaining = {balance} where id = '{phone.UserId}'; insert into quota_log (user_id, job_id, change, reason, balance_after) values ('{phone.UserId}', '{job}', {change}, '{reason}', {balance}); commit"
                )
            );
            Assert.Equal(PostgresErrorCodes.UniqueViolation, error.SqlState);
        }
        Assert.Equal(10, await phone.CreditsAsync());
    }

    [Fact]
    public async Task Lifetime_credits_rise_only_by_what_was_earned_or_bought()
    {
        var phone = await system.NewGuestAsync();
        await phone.GenerateAndWatchAsync("Refunds do not count [reject]");
        Assert.Equal(10, (await phone.GetAsync("/get-user-credits"))["credits_total"].GetInt32());
        await system.QueryAsync<string>($"select add_credits('{phone.UserId}', 25, 'iap_purchase', 'total-{phone.UserId}')::text");
        Assert.Equal(35, (await phone.GetAsync("/get-user-credits"))["credits_total"].GetInt32());
        await system.QueryAsync<string>($"select deduct_credits('{phone.UserId}', 5, 'admin_adjustment')::text");
        Assert.Equal(35, (await phone.GetAsync("/get-user-credits"))["credits_total"].GetInt32());
    }

    [Fact]
    public async Task A_merged_guests_ledger_is_read_through_the_member_and_the_old_id_keeps_working()
    {
        var guest = await system.NewGuestAsync();
        var member = await system.NewGuestAsync(0);
        await system.ExecuteAsync(
            $"""
            begin;
            update users set merged_into = '{member.UserId}', device_id = null where id = '{guest.UserId}';
            select write_ledger('{guest.UserId}', -10, 'merge'); select write_ledger('{member.UserId}', 10, 'merge');
            commit
            """
        );
        var reasons = (await member.GetAsync("/get-credit-history"))["transactions"].EnumerateArray().Count();
        Assert.Equal(5, reasons);
        Assert.Equal(10, (await guest.GetAsync($"/get-user-credits?user_id={guest.UserId}"))["credits_remaining"].GetInt32());
        Assert.Equal(10, (await member.GetAsync($"/get-user-credits?user_id={guest.UserId}"))["credits_remaining"].GetInt32());
        await system.AssertLedgerAsync();
    }
}

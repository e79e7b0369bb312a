using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>The turn to decide a free grant, step by step as the worker's role: who lost it records nothing, and nothing waits behind a grant that cannot be finished.</summary>
[Quick]
public sealed class DeviceGrantTests : IAsyncLifetime
{
    private string _owner = "";
    private string _worker = "";

    public async ValueTask InitializeAsync()
    {
        _owner = await TestCluster.CloneAsync();
        _worker = ConnectionStrings.From(new DatabaseOptions { MaxPoolSize = 4 }, _owner).Worker;
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Whoever_stalls_past_the_turn_before_recording_apples_answer_grants_nothing()
    {
        var (frozen, other) = (await NewGrantAsync(), await NewGrantAsync());
        await ClaimAsync("frozen", frozen.Grant);
        await TurnRunsOutAsync();
        await GrantAsync("other", other.Grant);

        Assert.Equal("", await AsWorkerAsync($"record_device_answer('{frozen.Grant}', 'frozen', false, false)"));
        Assert.Equal("False", await AsWorkerAsync($"record_device_bit_set('{frozen.Grant}', 'frozen')"));
        Assert.Equal("False", await AsWorkerAsync($"grant_initial_credits('{frozen.Grant}', 'frozen', 10)"));
        Assert.Equal((0, 10), (await CreditsAsync(frozen.User), await CreditsAsync(other.User)));
    }

    [Fact]
    public async Task Whoever_stalls_past_the_turn_records_nothing_although_nobody_took_it()
    {
        var grant = await NewGrantAsync();
        await ClaimAsync("frozen", grant.Grant);
        await TurnRunsOutAsync();
        Assert.Equal("", await AsWorkerAsync($"record_device_answer('{grant.Grant}', 'frozen', false, false)"));
        Assert.Equal("False", await AsWorkerAsync("renew_device_grant_turn('frozen', 15)"));
        await GrantAsync("other", grant.Grant);
        Assert.Equal(10, await CreditsAsync(grant.User));
    }

    [Theory]
    [InlineData("record_device_answer('{0}', 'first', true, true)")]
    [InlineData("record_device_bit_set('{0}', 'first')")]
    [InlineData("grant_initial_credits('{0}', 'first', 10, 'bit_unconfirmed')")]
    [InlineData("postpone_device_grant('{0}', 'first', 'late', 60, 1)")]
    [InlineData("reject_device_grant('{0}', 'first')")]
    [InlineData("finish_device_mark('{0}', 'first', true)")]
    [InlineData("renew_device_grant_turn('first', 600)")]
    public async Task No_step_of_an_earlier_claim_changes_what_a_later_claim_of_the_same_grant_has_done(string step)
    {
        var grant = await NewGrantAsync();
        await ClaimAsync("first", grant.Grant);
        await TurnRunsOutAsync();
        await ClaimAsync("second", grant.Grant);
        Assert.Equal("queried", await AsWorkerAsync($"record_device_answer('{grant.Grant}', 'second', false, false)"));
        var before = await StateAsync(grant.Grant);
        await AsWorkerAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, step, grant.Grant));
        Assert.Equal(before, await StateAsync(grant.Grant));
        Assert.Equal("True", await AsWorkerAsync($"record_device_bit_set('{grant.Grant}', 'second')"));
        Assert.Equal("True", await AsWorkerAsync($"grant_initial_credits('{grant.Grant}', 'second', 10)"));
        Assert.Equal(10, await CreditsAsync(grant.User));
    }

    [Fact]
    public async Task A_rejected_grant_whose_guest_cannot_be_deleted_ends_and_the_next_one_gets_its_turn()
    {
        var (bad, next) = (await NewGrantAsync(), await NewGrantAsync());
        await TestCluster.ExecuteAsync(
            _owner,
            $"insert into purchases (environment, transaction_id, user_id, product_id, quantity, credits, signed_at, purchased_at, source) select 'Production', 'tx-{bad.User}', '{bad.User}', product_id, 1, credits, now(), now(), 'notification' from products limit 1"
        );
        await ClaimAsync("one", bad.Grant);
        Assert.Equal("True", await AsWorkerAsync($"reject_device_grant('{bad.Grant}', 'one')"));
        Assert.Equal("rejected", (await StateAsync(bad.Grant)).Split('|')[0]);
        await GrantAsync("two", next.Grant);
        Assert.Equal(10, await CreditsAsync(next.User));
    }

    [Fact]
    public async Task Rejecting_after_the_turn_was_lost_is_no_reason_to_refuse_the_caller()
    {
        var grant = await NewGrantAsync();
        await ClaimAsync("frozen", grant.Grant);
        await TurnRunsOutAsync();
        await GrantAsync("other", grant.Grant);
        Assert.Equal("False", await AsWorkerAsync($"reject_device_grant('{grant.Grant}', 'frozen')"));
        Assert.Equal("granted", (await StateAsync(grant.Grant)).Split('|')[0]);
    }

    [Fact]
    public async Task A_half_done_grant_that_is_postponed_waits_its_time_and_others_go_on()
    {
        var (half, next) = (await NewGrantAsync(), await NewGrantAsync());
        await ClaimAsync("one", half.Grant);
        await AsWorkerAsync($"record_device_answer('{half.Grant}', 'one', false, false)");
        await AsWorkerAsync($"postpone_device_grant('{half.Grant}', 'one', 'the bit could not be set', 60, 8)");
        Assert.Equal($"{next.Grant}", await ClaimAsync("two"));
        await AsWorkerAsync($"record_device_answer('{next.Grant}', 'two', true, false)");
        Assert.Equal("", await ClaimAsync("three"));
    }

    [Theory]
    // Nobody was granted since: the bit is set by our own attempt, whose answer was lost.
    [InlineData(false, "queried", 10)]
    // Somebody was: it may be theirs, and one phone never gets twice.
    [InlineData(true, "denied", 0)]
    public async Task A_bit_that_an_attempt_without_an_answer_may_have_set_is_ours_only_when_nobody_was_granted_since(
        bool isSomebodyGranted,
        string answer,
        int credits
    )
    {
        var (half, other) = (await NewGrantAsync(), await NewGrantAsync());
        await ClaimAsync("one", half.Grant);
        await AsWorkerAsync($"record_device_answer('{half.Grant}', 'one', false, false)");
        await AsWorkerAsync($"postpone_device_grant('{half.Grant}', 'one', 'no answer', 0, 8)");
        if (isSomebodyGranted)
        {
            await GrantAsync("two", other.Grant);
        }
        await ClaimAsync("three", half.Grant);
        Assert.Equal(answer, await AsWorkerAsync($"record_device_answer('{half.Grant}', 'three', true, false)"));
        if (answer == "queried")
        {
            await AsWorkerAsync($"record_device_bit_set('{half.Grant}', 'three')");
            await AsWorkerAsync($"grant_initial_credits('{half.Grant}', 'three', 10)");
        }
        Assert.Equal(credits, await CreditsAsync(half.User));
        Assert.Equal(
            isSomebodyGranted ? 1L : 0L,
            await CountAsync($"select count(*) from alerts where kind = 'device_grant_unclear' and dedupe_key = '{half.Grant}'")
        );
    }

    [Fact]
    public async Task A_grant_that_is_claimed_again_and_again_without_an_end_is_given_up_once_and_the_next_one_comes()
    {
        var (dead, next) = (await NewGrantAsync(), await NewGrantAsync());
        await ClaimAsync("0", dead.Grant, 5);
        await AsWorkerAsync($"record_device_answer('{dead.Grant}', '0', false, false)");
        for (var number = 1; number < 5; number++)
        {
            await TurnRunsOutAsync();
            // A stored answer comes first, whoever asks for what.
            Assert.Equal($"{dead.Grant}", await ClaimAsync($"{number}", next.Grant, 5));
        }
        await TurnRunsOutAsync();
        Assert.Equal($"{next.Grant}", await ClaimAsync("last", next.Grant, 5));
        Assert.Equal("abandoned", (await StateAsync(dead.Grant)).Split('|')[0]);
        Assert.Equal(1, await CountAsync($"select count(*) from alerts where kind = 'device_grant_dead' and dedupe_key = '{dead.Grant}'"));
    }

    [Fact]
    public async Task A_claim_moves_the_time_of_its_grant_on()
    {
        var grant = await NewGrantAsync();
        await ClaimAsync("one");
        // The turn is free again although the grant was neither decided nor postponed.
        await TestCluster.ExecuteAsync(_owner, "update installation_leases set leased_by = null, lease_until = null");
        Assert.Equal("", await ClaimAsync("two"));
        Assert.Equal(1, await CountAsync($"select count(*) from device_grants where id = '{grant.Grant}' and run_after > now() + interval '10 seconds'"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_user_who_leaves_in_the_middle_of_their_grant_holds_nobody_up(int stepsDone)
    {
        var (departing, other) = (await NewGrantAsync(), await NewGrantAsync());
        await ClaimAsync("one", departing.Grant);
        string[] steps =
        [
            $"record_device_answer('{departing.Grant}', 'one', false, false)",
            $"record_device_bit_set('{departing.Grant}', 'one')",
            $"grant_initial_credits('{departing.Grant}', 'one', 10)",
        ];
        foreach (var step in steps[..stepsDone])
        {
            await AsWorkerAsync(step);
        }
        await TestCluster.ExecuteAsync(_owner, $"select internal.erase_account('{departing.User}')");
        Assert.Contains(await AsWorkerAsync(steps[stepsDone]), new[] { "", "False" });
        // Without waiting for the lease of that turn.
        await GrantAsync("two", other.Grant);
        Assert.Equal((0, 10), (await CreditsAsync(departing.User), await CreditsAsync(other.User)));
    }

    private async Task<(Guid User, Guid Grant)> NewGrantAsync()
    {
        var (user, grant) = (Guid.NewGuid(), Guid.NewGuid());
        await TestCluster.ExecuteAsync(
            _owner,
            $"""
            insert into users (id, device_id, is_guest) values ('{user}', '{user}', true);
            insert into device_checks (device_id, user_id) values ('{user}', '{user}');
            insert into device_grants (id, user_id, device_id, device_token) values ('{grant}', '{user}', '{user}', 'dG9rZW4=');
            """
        );
        return (user, grant);
    }

    private async Task GrantAsync(string token, Guid grant)
    {
        Assert.Equal($"{grant}", await ClaimAsync(token, grant));
        Assert.Equal("queried", await AsWorkerAsync($"record_device_answer('{grant}', '{token}', false, false)"));
        Assert.Equal("True", await AsWorkerAsync($"record_device_bit_set('{grant}', '{token}')"));
        Assert.Equal("True", await AsWorkerAsync($"grant_initial_credits('{grant}', '{token}', 10)"));
    }

    private Task<string> ClaimAsync(string token, Guid? grant = null, int maxClaims = 20) =>
        AsWorkerAsync($"(select id from claim_device_grant('{token}', 15, {(grant is null ? "null" : $"'{grant}'")}, {maxClaims}))");

    /// <summary>The clock goes past the turn's end.</summary>
    private Task TurnRunsOutAsync() =>
        TestCluster.ExecuteAsync(
            _owner,
            "update installation_leases set lease_until = now() - interval '1 second' where leased_by is not null; update device_grants set run_after = now() - interval '1 second', lease_until = case when leased_by is not null then now() - interval '1 second' end where decided_at is null"
        );

    private async Task<int> CreditsAsync(Guid user) => (int)await CountAsync($"select credits_remaining::bigint from users where id = '{user}'");

    private Task<string> StateAsync(Guid grant) =>
        TextAsync(
            _owner,
            $"select concat_ws('|', stage, leased_by, bit0, bit1, device_token, decided_at, (select concat_ws('/', leased_by, lease_until) from installation_leases)) from device_grants where id = '{grant}'"
        );

    private async Task<long> CountAsync(string sql) => long.Parse(await TextAsync(_owner, sql), System.Globalization.CultureInfo.InvariantCulture);

    private Task<string> AsWorkerAsync(string call) => TextAsync(_worker, $"select {call}");

    private static async Task<string> TextAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (await command.ExecuteScalarAsync())?.ToString() ?? "";
    }
}

using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Credits that admins give and take, and that each deed has its record.</summary>
public sealed class AdminTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    [Fact]
    public async Task Credits_are_given_back_once_for_each_key_and_written_down()
    {
        var phone = await system.NewGuestAsync();
        var key = Guid.NewGuid();
        var body = new
        {
            user_id = phone.UserId,
            amount = 8,
            reason = "the video was black",
        };
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => system.PostAsync("/admin-refund-credits", body, key)));
        Assert.All(answers, answer => Assert.Equal((HttpStatusCode.OK, 18), (answer.Status, answer["new_balance"].GetInt32())));
        Assert.Equal(18, await phone.CreditsAsync());
        Assert.Equal(
            [$"credit_refund|8|the video was black|{system.AdminId}"],
            await system.RowsAsync($"select action_type, amount, reason, admin_user_id from admin_actions where target_user_id = '{phone.UserId}'")
        );
        // The lifetime total is what was earned, and this was not.
        Assert.Equal(10, (await phone.GetAsync("/get-user-credits"))["credits_total"].GetInt32());
        Assert.Equal("ERR_4009", (await system.PostAsync("/admin-refund-credits", body with { amount = 9 }, key)).Code);
        Assert.Equal("ERR_4008", (await system.PostAsync("/admin-refund-credits", body, null)).Code);
        var down = await system.PostAsync(
            "/admin-adjust-credits",
            new
            {
                user_id = phone.UserId,
                amount = -5,
                reason = "counted twice",
            },
            Guid.NewGuid()
        );
        Assert.Equal(13, down["new_balance"].GetInt32());
        Assert.Equal(
            "ERR_4012",
            (
                await system.PostAsync(
                    "/admin-adjust-credits",
                    new
                    {
                        user_id = phone.UserId,
                        amount = -14,
                        reason = "too much",
                    },
                    Guid.NewGuid()
                )
            ).Code
        );
        await system.AssertLedgerAsync();
    }

    [Theory]
    [InlineData("""{"user_id":"USER","amount":0,"reason":"a reason"}""", "ERR_4000")]
    [InlineData("""{"user_id":"USER","amount":-1,"reason":"a reason"}""", "ERR_4000")]
    [InlineData("""{"user_id":"USER","amount":1001,"reason":"a reason"}""", "ERR_4000")]
    [InlineData("""{"user_id":"USER","amount":2.5,"reason":"a reason"}""", "ERR_4000")]
    [InlineData("""{"user_id":"USER","amount":"many","reason":"a reason"}""", "ERR_4000")]
    [InlineData("""{"user_id":"USER","amount":1}""", "ERR_4000")]
    [InlineData("""{"user_id":"USER","amount":1,"reason":"  "}""", "ERR_4000")]
    [InlineData("""{"user_id":"USER","amount":1,"reason":"no"}""", "ERR_4000")]
    [InlineData("""{"user_id":"USER","amount":1,"reason":7}""", "ERR_4000")]
    [InlineData("""{"user_id":"nobody","amount":1,"reason":"a reason"}""", "ERR_4007")]
    [InlineData("""{"user_id":"00000000-0000-4000-8000-000000000000","amount":1,"reason":"a reason"}""", "ERR_4007")]
    [InlineData("""{"amount":1,"reason":"a reason"}""", "ERR_4000")]
    [InlineData("""[]""", "ERR_4000")]
    [InlineData("""{"user_id":"USER","amount":1,"reason":"a \u0000 in it"}""", "ERR_4000")]
    public async Task A_refund_that_is_not_right_changes_nothing(string body, string code)
    {
        var phone = await system.NewGuestAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/admin-refund-credits")
        {
            Content = new StringContent(body.Replace("USER", phone.UserId.ToString(), StringComparison.Ordinal), System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        Assert.Equal(code, (await ApiResponse.ReadAsync(await system.Admin.SendAsync(request))).Code);
        Assert.Equal(10, await phone.CreditsAsync());
        Assert.Empty(await system.RowsAsync($"select id from admin_actions where target_user_id = '{phone.UserId}'"));
    }

    [Fact]
    public async Task A_job_is_refunded_by_hand_once_and_not_after_it_was_by_itself()
    {
        var phone = await system.NewGuestAsync(100);
        var good = (await phone.GenerateAndWatchAsync("Black in the middle")).GetProperty("job_id").GetString();
        var failed = (await phone.GenerateAndWatchAsync("Black [fail]")).GetProperty("job_id").GetString();
        object Refund(string? job, int amount = 8) =>
            new
            {
                user_id = phone.UserId,
                job_id = job,
                amount,
                reason = "black in the middle",
            };
        Assert.Equal("ERR_4012", (await system.PostAsync("/admin-refund-credits", Refund(good, 9), Guid.NewGuid())).Code);
        var both = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => system.PostAsync("/admin-refund-credits", Refund(good), Guid.NewGuid())));
        Assert.Equal(1, both.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.All(both.Where(answer => answer.Status != HttpStatusCode.OK), answer => Assert.Equal("ERR_4012", answer.Code));
        Assert.Equal("ERR_4012", (await system.PostAsync("/admin-refund-credits", Refund(failed), Guid.NewGuid())).Code);
        Assert.Equal("ERR_4007", (await system.PostAsync("/admin-refund-credits", Refund(Guid.NewGuid().ToString()), Guid.NewGuid())).Code);
        Assert.Equal(100, await phone.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task There_is_no_action_without_its_record_and_no_record_without_its_action()
    {
        var phone = await system.NewGuestAsync();
        // The record cannot be written: the credits are not given either.
        await system.ExecuteAsync("alter table admin_actions add constraint broken check (reason <> 'cannot be written')");
        var answer = await system.PostAsync(
            "/admin-refund-credits",
            new
            {
                user_id = phone.UserId,
                amount = 8,
                reason = "cannot be written",
            },
            Guid.NewGuid()
        );
        Assert.Equal(HttpStatusCode.InternalServerError, answer.Status);
        Assert.Equal("ERR_6003", (await system.PostAsync("/admin-ban-user", new { user_id = phone.UserId, reason = "cannot be written" })).Code);
        Assert.Equal(10, await phone.CreditsAsync());
        await system.ExecuteAsync("alter table admin_actions drop constraint broken");
        // The process dies between the two: the connection is cut while the ledger row cannot be written yet.
        await using (var blocker = new Npgsql.NpgsqlConnection(system.Owner))
        {
            await blocker.OpenAsync();
            await using var transaction = await blocker.BeginTransactionAsync();
            await using var command = new Npgsql.NpgsqlCommand("lock table quota_log in share mode", blocker);
            await command.ExecuteNonQueryAsync();
            var cut = system.PostAsync(
                "/admin-refund-credits",
                new
                {
                    user_id = phone.UserId,
                    amount = 8,
                    reason = "cut in the middle",
                },
                Guid.NewGuid()
            );
            await Eventually.IsAsync(
                () =>
                    system.QueryAsync<long>(
                        "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and query like '%admin_refund_credits%' and pid <> pg_backend_pid()) t"
                    ),
                ended => ended > 0
            );
            Assert.NotEqual(HttpStatusCode.OK, (await cut).Status);
        }
        Assert.Empty(await system.RowsAsync($"select id from admin_actions where target_user_id = '{phone.UserId}'"));
        Assert.Equal(10, await phone.CreditsAsync());
        // And the record stays as it is, whoever tries.
        await system.PostAsync(
            "/admin-set-tier",
            new
            {
                user_id = phone.UserId,
                tier = "premium",
                reason = "a friend of the team",
            }
        );
        foreach (var sql in new[] { "update admin_actions set reason = 'another'", "delete from admin_actions", "truncate admin_actions" })
        {
            await Assert.ThrowsAsync<Npgsql.PostgresException>(() => system.ExecuteAsync(sql));
        }
    }
}

using System.Net;
using System.Text.Json;
using Npgsql;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What support may not do, and the sum that it may give.</summary>
public sealed class AdminRoleTests(AdminRoleTests.Installation system) : IClassFixture<AdminRoleTests.Installation>
{
    /// <summary>The installation with a small daily sum.</summary>
    public sealed class Installation : AdminSystem
    {
        protected override Dictionary<string, string?> Settings => new(base.Settings) { ["Admin:SupportDailyCredits"] = "50" };
    }

    [Fact]
    public async Task Who_was_an_admin_before_is_an_operator_and_the_command_line_says_who_is_what()
    {
        await system.TokenAsync("lists@support.example", "support");
        var (code, output) = await system.RunAsync("list");
        Assert.Equal(0, code);
        Assert.Contains("first@support.example  operator", output, StringComparison.Ordinal);
        Assert.Contains("lists@support.example  support", output, StringComparison.Ordinal);
        Assert.NotEqual(0, (await system.RunAsync("create", "--email", "third@support.example", "--role", "emperor")).Code);
        // A new password keeps the role.
        await system.TokenAsync("lists@support.example");
        Assert.Equal(["support"], await system.RowsAsync($"select internal.admin_role('{await system.IdAsync("lists@support.example")}')"));
    }

    [Fact]
    public async Task Support_prices_nothing_and_decides_nothing_about_admins()
    {
        using var support = await system.TokenAsync("limited@support.example", "support");
        var me = await system.IdAsync("limited@support.example");
        await system.TokenAsync("colleague@support.example", "support");
        var colleague = await system.IdAsync("colleague@support.example");
        var model = await system.QueryAsync<Guid>("select id from models order by id limit 1");
        const string reason = "because I can";
        foreach (
            var (path, body) in (List<(string, object)>)
                [
                    (
                        "/admin-save-model",
                        new
                        {
                            model_id = model,
                            cost_per_generation = 1,
                            reason,
                        }
                    ),
                    (
                        "/admin-save-product",
                        new
                        {
                            product_id = "cheap",
                            credits = 100_000,
                            reason,
                        }
                    ),
                    ("/admin-revoke-admin", new { user_id = system.AdminId, reason }),
                    ("/admin-revoke-admin", new { user_id = colleague, reason }),
                    (
                        "/admin-set-role",
                        new
                        {
                            user_id = me,
                            role = "operator",
                            reason,
                        }
                    ),
                    ("/admin-ban-user", new { user_id = system.AdminId, reason }),
                    ("/admin-end-sessions", new { user_id = system.AdminId, reason }),
                    ("/admin-approve", new { approval_id = Guid.NewGuid(), reason }),
                ]
        )
        {
            foreach (var key in (Guid?[])[null, Guid.NewGuid()])
            {
                var answer = await AdminSystem.PostAsync(support, path, body, key);
                Assert.Equal(
                    (path, HttpStatusCode.Forbidden, "ERR_4006", "operator_required"),
                    (path, answer.Status, answer.Code, AdminApprovalTests.ReasonOf(answer))
                );
            }
        }
        Assert.Empty(await system.RowsAsync($"select action_type from admin_actions where admin_user_id = '{me}'"));
        // What support is there for goes on, and an operator gives the role.
        var phone = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.OK, (await AdminSystem.PostAsync(support, "/admin-ban-user", new { user_id = phone.UserId, reason })).Status);
        Assert.Equal("operator", (
                await system.PostAsync(
                    "/admin-set-role",
                    new
                    {
                        user_id = me,
                        role = "operator",
                        reason,
                    }
                )
            )["role"].GetString());
        Assert.Equal(HttpStatusCode.OK, (await AdminSystem.PostAsync(support, "/admin-end-sessions", new { user_id = colleague, reason })).Status);
        // And takes it away: that holds at once, in the session that is open.
        await system.PostAsync(
            "/admin-set-role",
            new
            {
                user_id = me,
                role = "support",
                reason,
            }
        );
        Assert.Equal("ERR_4006", (await AdminSystem.PostAsync(support, "/admin-revoke-admin", new { user_id = colleague, reason })).Code);
        Assert.Equal(
            ["admin_role|{\"to\": \"operator\", \"from\": \"support\"}", "admin_role|{\"to\": \"support\", \"from\": \"operator\"}"],
            await system.RowsAsync($"select action_type, details from admin_actions where target_user_id = '{me}' and action_type = 'admin_role' order by id")
        );
    }

    [Fact]
    public async Task The_last_operator_stays_one()
    {
        await system.TokenAsync("still-there@support.example", "support");
        foreach (var path in (string[])["/admin-revoke-admin", "/admin-set-role"])
        {
            var answer = await system.PostAsync(
                path,
                new
                {
                    user_id = system.AdminId,
                    role = "support",
                    reason = "nobody is left",
                }
            );
            Assert.Equal(("ERR_4012", "last_operator"), (answer.Code, AdminApprovalTests.ReasonOf(answer)));
        }
        Assert.NotEqual(0, (await system.RunAsync("role", "--email", "first@support.example", "--role", "support")).Code);
        Assert.Equal(0, (await system.RunAsync("role", "--email", "still-there@support.example", "--role", "operator")).Code);
        Assert.Equal(0, (await system.RunAsync("role", "--email", "still-there@support.example", "--role", "support")).Code);
    }

    [Fact]
    public async Task Support_gives_no_more_than_the_daily_sum_also_in_parallel_and_through_every_endpoint()
    {
        using var support = await system.TokenAsync("generous@support.example", "support");
        var me = await system.IdAsync("generous@support.example");
        var phones = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => system.NewGuestAsync()));
        var answers = await Task.WhenAll(
            phones.Select(
                (phone, number) =>
                    AdminSystem.PostAsync(
                        support,
                        number % 2 == 0 ? "/admin-refund-credits" : "/admin-adjust-credits",
                        new
                        {
                            user_id = phone.UserId,
                            amount = 8,
                            reason = "many at once",
                        },
                        Guid.NewGuid()
                    )
            )
        );
        // Six times eight is 48; a seventh would be more than 50.
        Assert.Equal(6, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        var refused = answers.First(answer => answer.Status != HttpStatusCode.OK);
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), answer => Assert.Equal("ERR_4006", answer.Code));
        Assert.Equal("""{"left":2,"given":48,"limit":50,"reason":"daily_sum"}""", JsonSerializer.Serialize(refused["error"].GetProperty("details")));
        Task<ApiResponse> GiveAsync(int amount, string path = "/admin-refund-credits") =>
            AdminSystem.PostAsync(
                support,
                path,
                new
                {
                    user_id = phones[0].UserId,
                    amount,
                    reason = "once more",
                },
                Guid.NewGuid()
            );
        Assert.Equal(HttpStatusCode.Forbidden, (await GiveAsync(3)).Status);
        Assert.Equal(HttpStatusCode.OK, (await GiveAsync(2)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await GiveAsync(1)).Status);
        // Taking away gives no room and needs none; what was given a day ago does not count any more.
        Assert.Equal(HttpStatusCode.OK, (await GiveAsync(-1, "/admin-adjust-credits")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await GiveAsync(1)).Status);
        // The same rule at the function itself, whoever calls it with whatever the console or an older node sends.
        await using var connection = new NpgsqlConnection(system.Owner);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var session = await system.QueryAsync<Guid>($"select id from sessions where user_id = '{me}' and method = 'admin' and revoked_at is null limit 1");
        await using var command = new NpgsqlCommand(
            $$"""
            set local role authenticated;
            set local request.jwt.claims = '{"sub":"{{me}}","role":"authenticated","session_id":"{{session}}"}';
            select admin_refund_credits(gen_random_uuid(), '{"user_id":"{{phones[0].UserId}}","amount":451,"reason":"by an older node"}', 1000)
            """,
            connection,
            transaction
        );
        Assert.Equal("ERR_4006", (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteScalarAsync())).MessageText);
        // An operator has no such sum.
        Assert.Equal(
            HttpStatusCode.OK,
            (
                await system.PostAsync(
                    "/admin-refund-credits",
                    new
                    {
                        user_id = phones[0].UserId,
                        amount = 100,
                        reason = "by an operator",
                    },
                    Guid.NewGuid()
                )
            ).Status
        );
        await system.AssertLedgerAsync();
    }
}

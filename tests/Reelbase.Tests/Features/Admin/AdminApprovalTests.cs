using System.Net;
using System.Text.Json;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Credits that two admins have to want: asked for by one, carried out once by another.</summary>
public sealed class AdminApprovalTests(AdminApprovalTests.Installation system) : IClassFixture<AdminApprovalTests.Installation>
{
    /// <summary>The installation with an operator who asks for little, two more, and somebody of support.</summary>
    public sealed class Installation : AdminSystem
    {
        protected override Dictionary<string, string?> Settings => new(base.Settings) { ["Admin:ApprovalAbove"] = "6" };

        public HttpClient Second { get; private set; } = null!;
        public HttpClient Third { get; private set; } = null!;

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            Second = await TokenAsync("second@support.example");
            Third = await TokenAsync("third@support.example");
        }
    }

    public static string? ReasonOf(ApiResponse answer) =>
        answer["error"].TryGetProperty("details", out var details) && details.ValueKind == JsonValueKind.Object
            ? details.GetProperty("reason").GetString()
            : null;

    [Fact]
    public async Task A_refund_above_the_bound_waits_for_another_admin_and_the_same_key_gets_the_same_answer()
    {
        var phone = await system.NewGuestAsync();
        var key = Guid.NewGuid();
        var asked = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => AskAsync(phone, 21, key)));
        Assert.All(asked, answer => Assert.Equal((HttpStatusCode.Accepted, true), (answer.Status, answer["pending"].GetBoolean())));
        var id = Assert.Single(asked.Select(answer => answer["approval_id"].GetGuid()).Distinct());
        Assert.Equal(10, await phone.CreditsAsync());
        Assert.Equal(["approval_request|21|21 of them"], await ActionsAsync(phone));
        // Not by who asked, not by support, not with a member's token.
        Assert.Equal(("ERR_4006", "own_request"), await RefusalAsync(system.Admin, id));
        using var support = await system.TokenAsync("helper@support.example", "support");
        Assert.Equal(("ERR_4006", "operator_required"), await RefusalAsync(support, id));
        Assert.Equal(HttpStatusCode.Forbidden, (await phone.PostAsync("/admin-approve", new { approval_id = id })).Status);
        var approved = await ApproveAsync(system.Second, id, "seen in the ticket");
        Assert.Equal((HttpStatusCode.OK, true, 31), (approved.Status, approved["success"].GetBoolean(), approved["new_balance"].GetInt32()));
        Assert.Equal(31, await phone.CreditsAsync());
        Assert.Equal(("ERR_4012", "already_decided"), await RefusalAsync(system.Third, id));
        var again = await AskAsync(phone, 21, key);
        Assert.Equal((HttpStatusCode.Accepted, asked[0].Text), (again.Status, again.Text));
        Assert.Equal(31, await phone.CreditsAsync());
        Assert.Equal(["approval_request|21|21 of them", "credit_refund|21|21 of them", "approval_grant|21|seen in the ticket"], await ActionsAsync(phone));
        Assert.Equal(
            [$"{system.AdminId}|{await system.IdAsync("second@support.example")}"],
            await system.RowsAsync($"select admin_user_id, details ->> 'approved_by' from admin_actions where details ->> 'approval_id' = '{id}'")
        );
        // Up to the bound nobody else is asked.
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(phone, 6, Guid.NewGuid())).Status);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_grant_above_the_bound_waits_too_and_taking_away_does_not()
    {
        var phone = await system.NewGuestAsync(100);
        var asked = await AskAsync(phone, 30, Guid.NewGuid(), "/admin-adjust-credits");
        Assert.Equal(HttpStatusCode.Accepted, asked.Status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(phone, -30, Guid.NewGuid(), "/admin-adjust-credits")).Status);
        Assert.Equal(70, await phone.CreditsAsync());
        var key = Guid.NewGuid();
        var first = await ApproveAsync(system.Second, asked["approval_id"].GetGuid(), key: key);
        var second = await ApproveAsync(system.Second, asked["approval_id"].GetGuid(), key: key);
        Assert.Equal((HttpStatusCode.OK, first.Text), (second.Status, second.Text));
        Assert.Equal(100, await phone.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Two_who_approve_at_once_give_once()
    {
        var phone = await system.NewGuestAsync();
        var id = (await AskAsync(phone, 25, Guid.NewGuid()))["approval_id"].GetGuid();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => ApproveAsync(n % 2 == 0 ? system.Second : system.Third, id)));
        Assert.Equal(1, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), answer => Assert.Equal("already_decided", ReasonOf(answer)));
        Assert.Equal(35, await phone.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Declined_is_declined_and_nothing_moves()
    {
        var phone = await system.NewGuestAsync();
        var id = (await AskAsync(phone, 25, Guid.NewGuid()))["approval_id"].GetGuid();
        var declined = await AdminSystem.PostAsync(
            system.Second,
            "/admin-approve",
            new
            {
                approval_id = id,
                approve = false,
                reason = "ask for less",
            }
        );
        Assert.True(declined["declined"].GetBoolean());
        Assert.Equal(("ERR_4012", "already_decided"), await RefusalAsync(system.Third, id));
        Assert.Equal(10, await phone.CreditsAsync());
        Assert.Equal(["approval_request|25|25 of them", "approval_decline|25|ask for less"], await ActionsAsync(phone));
    }

    [Fact]
    public async Task It_is_void_after_its_time_and_goes_with_the_cleanup()
    {
        var phone = await system.NewGuestAsync();
        var id = (await AskAsync(phone, 25, Guid.NewGuid()))["approval_id"].GetGuid();
        await system.ExecuteAsync($"update admin_approvals set expires_at = now() - interval '1 second' where id = '{id}'");
        Assert.Equal(("ERR_4012", "expired"), await RefusalAsync(system.Second, id));
        Assert.Equal(10, await phone.CreditsAsync());
        var listed = (await system.GetAsync("/admin-list-approvals?status=expired"))["rows"]
            .EnumerateArray()
            .Single(row => row.GetProperty("approval_id").GetGuid() == id);
        Assert.False(listed.GetProperty("can_approve").GetBoolean());
        await system.ExecuteAsync(
            $"update admin_approvals set expires_at = now() - interval '31 days' where id = '{id}'; select clean_up('payloads', '{{}}', 100, false)"
        );
        Assert.Equal(["0"], await system.RowsAsync($"select count(*) from admin_approvals where id = '{id}'"));
        Assert.Equal(["approval_request|25|25 of them"], await ActionsAsync(phone));
    }

    [Fact]
    public async Task Bounds_are_those_of_the_moment_when_it_is_approved()
    {
        var phone = await system.NewGuestAsync(100);
        var job = (await phone.GenerateAndWatchAsync("Black in the middle")).GetProperty("job_id").GetGuid();
        const int charged = 8;
        object Body(int amount) =>
            new
            {
                user_id = phone.UserId,
                job_id = job,
                amount,
                reason = "all of it",
            };
        // More than is left is refused at once; what is right now may not be later.
        Assert.Equal("ERR_4012", (await system.PostAsync("/admin-refund-credits", Body(charged + 1), Guid.NewGuid())).Code);
        var asked = await system.PostAsync("/admin-refund-credits", Body(charged), Guid.NewGuid());
        Assert.Equal(HttpStatusCode.Accepted, asked.Status);
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-refund-credits", Body(1), Guid.NewGuid())).Status);
        Assert.Equal(("ERR_4012", "more_than_is_left"), await RefusalAsync(system.Second, asked["approval_id"].GetGuid()));
        Assert.Equal(["pending"], await system.RowsAsync($"select state from admin_approvals where id = '{asked["approval_id"].GetGuid()}'"));
        Assert.Equal(100 - charged + 1, await phone.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task The_session_of_who_asked_may_have_ended_but_not_their_right()
    {
        using var asker = await system.TokenAsync("departing@support.example", "support");
        var me = await system.IdAsync("departing@support.example");
        var phone = await system.NewGuestAsync();
        var first = (await AskAsync(phone, 25, Guid.NewGuid(), asker: asker))["approval_id"].GetGuid();
        var second = (await AskAsync(phone, 26, Guid.NewGuid(), asker: asker))["approval_id"].GetGuid();
        await system.PostAsync("/admin-end-sessions", new { user_id = me, reason = "went home" });
        Assert.Equal(HttpStatusCode.OK, (await ApproveAsync(system.Second, first)).Status);
        await system.PostAsync("/admin-revoke-admin", new { user_id = me, reason = "left the company" });
        Assert.Equal(("ERR_4012", "requester_is_no_admin"), await RefusalAsync(system.Second, second));
        Assert.Equal(35, await phone.CreditsAsync());
    }

    [Fact]
    public async Task A_process_that_dies_in_between_has_given_nothing_and_it_can_be_approved_again()
    {
        var phone = await system.NewGuestAsync();
        var id = (await AskAsync(phone, 25, Guid.NewGuid()))["approval_id"].GetGuid();
        await using (var blocker = new Npgsql.NpgsqlConnection(system.Owner))
        {
            await blocker.OpenAsync();
            await using var transaction = await blocker.BeginTransactionAsync();
            await using var command = new Npgsql.NpgsqlCommand("lock table quota_log in share mode", blocker);
            await command.ExecuteNonQueryAsync();
            var cut = ApproveAsync(system.Second, id);
            await Eventually.IsAsync(
                () =>
                    system.QueryAsync<long>(
                        "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and query like '%admin_approve%' and pid <> pg_backend_pid()) t"
                    ),
                ended => ended > 0
            );
            Assert.NotEqual(HttpStatusCode.OK, (await cut).Status);
        }
        Assert.Equal(10, await phone.CreditsAsync());
        Assert.Equal(HttpStatusCode.OK, (await ApproveAsync(system.Third, id)).Status);
        Assert.Equal(35, await phone.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task What_an_admin_has_waiting_is_bounded()
    {
        using var asker = await system.TokenAsync("busy@support.example", "support");
        var phone = await system.NewGuestAsync();
        var answers = new List<ApiResponse>();
        for (var number = 0; number < 101; number++)
        {
            answers.Add(await AskAsync(phone, 25, Guid.NewGuid(), asker: asker));
        }
        Assert.Equal(100, answers.Count(answer => answer.Status == HttpStatusCode.Accepted));
        Assert.Equal("too_many_pending", ReasonOf(answers[^1]));
    }

    [Theory]
    [InlineData("""{}""", "ERR_4000")]
    [InlineData("""{"approval_id":"nothing"}""", "ERR_4007")]
    [InlineData("""{"approval_id":"00000000-0000-4000-8000-000000000000"}""", "ERR_4007")]
    [InlineData("""{"approval_id":"00000000-0000-4000-8000-000000000000","approve":"yes"}""", "ERR_4000")]
    [InlineData("""{"approval_id":"00000000-0000-4000-8000-000000000000","reason":7}""", "ERR_4000")]
    public async Task What_is_no_approval_is_refused(string body, string code) =>
        Assert.Equal(code, (await AdminSystem.PostAsync(system.Second, "/admin-approve", JsonSerializer.Deserialize<JsonElement>(body))).Code);

    private Task<ApiResponse> AskAsync(Phone phone, int amount, Guid key, string path = "/admin-refund-credits", HttpClient? asker = null) =>
        AdminSystem.PostAsync(
            asker ?? system.Admin,
            path,
            new
            {
                user_id = phone.UserId,
                amount,
                reason = $"{amount} of them",
            },
            key
        );

    private static Task<ApiResponse> ApproveAsync(HttpClient admin, Guid id, string reason = "fine with me", Guid? key = null) =>
        AdminSystem.PostAsync(admin, "/admin-approve", new { approval_id = id, reason }, key);

    private static async Task<(string? Code, string? Reason)> RefusalAsync(HttpClient admin, Guid id)
    {
        var answer = await ApproveAsync(admin, id);
        return (answer.Code, ReasonOf(answer));
    }

    private Task<List<string>> ActionsAsync(Phone phone) =>
        system.RowsAsync($"select action_type, amount, reason from admin_actions where target_user_id = '{phone.UserId}' order by id");
}

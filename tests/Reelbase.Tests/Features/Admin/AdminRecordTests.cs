using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Modules;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>The records of admin operations say exactly what SQL takes and answers; <see cref="AdminRecords"/> holds each call of these tests against them.</summary>
public sealed class AdminRecordTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    /// <summary>An operation cannot be made without records; they have to be its own and say something.</summary>
    [Fact]
    public void Each_operation_has_a_record_for_its_request_and_its_answer() =>
        Assert.All(
            AdminSystem.Operations,
            operation =>
            {
                Assert.StartsWith("Admin", operation.Request.Name, StringComparison.Ordinal);
                Assert.EndsWith("Request", operation.Request.Name, StringComparison.Ordinal);
                Assert.EndsWith("Response", operation.Response.Name, StringComparison.Ordinal);
                Assert.NotEmpty(operation.Response.GetProperties());
                Assert.All(operation.Fields, field => Assert.NotEqual("", field.Description));
            }
        );

    private sealed record OtherResponse(Guid Success);

    [Fact]
    public async Task A_change_that_is_done_is_done_also_when_its_answer_cannot_be_read()
    {
        var phone = await system.NewGuestAsync();
        var session = await system.QueryAsync<Guid>(
            $"select id from sessions where user_id = '{system.AdminId}' and method = 'admin' and revoked_at is null limit 1"
        );
        var claims = JsonSerializer.Serialize(
            new
            {
                sub = system.AdminId,
                role = "authenticated",
                session_id = session,
            }
        );
        var ban = AdminOperation.ChangeOf("admin-ban-user", "Bans", AdminUserActionRequest.Sample, new OtherResponse(Guid.Empty));
        await using var scope = system.Server.Services.CreateAsyncScope();
        var (done, pending) = await scope
            .ServiceProvider.GetRequiredService<AdminApi>()
            .CallAsync(new Caller("authenticated", system.AdminId, claims), ban, new(phone.UserId, "a reason of its own"), null, CancellationToken.None);
        Assert.Null(done);
        Assert.Null(pending);
        Assert.True(await system.QueryAsync<bool>($"select banned_at is not null from users where id = '{phone.UserId}'"));
    }

    [Fact]
    public async Task What_support_sees_of_a_user_is_what_its_records_say()
    {
        var phone = await system.NewGuestAsync(200);
        var job = (await phone.GenerateAndWatchAsync("A paper boat")).GetProperty("job_id").GetString();
        await phone.GenerateAndWatchAsync("[reject] something ugly");
        var apple = new Apple(system.Control);
        var (transaction, signed) = await apple.BuyAsync(Apple.Pack25, phone.UserId);
        await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        await phone.PostAsync(
            "/record-consent",
            new
            {
                kind = "terms",
                version = "2026-01",
                granted = true,
            }
        );
        await phone.PostAsync("/report-content", new { job_id = job, reason = "It shows my neighbour." });
        await phone.PostAsync("/generate-video", new { }, Guid.NewGuid());
        var refund = new
        {
            user_id = phone.UserId,
            amount = 8,
            reason = "a reason of its own",
            job_id = job,
        };
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-refund-credits", refund, Guid.NewGuid())).Status);
        await Eventually.IsAsync(() => system.QueryAsync<long>($"select count(*) from error_log where user_id = '{phone.UserId}'"), rows => rows > 0);
        await system.ExecuteAsync($"insert into rate_limit_log (action, user_id) values ('generate_video', '{phone.UserId}')");
        var user = await system.GetAsync($"/admin-get-user?user_id={phone.UserId}");
        foreach (var list in new[] { "devices", "sessions", "consents", "purchases", "limits", "errors", "reports", "audit" })
        {
            Assert.True(user[list].GetArrayLength() > 0, list);
        }
        foreach (
            var path in new[]
            {
                $"/admin-user-stats?user_id={phone.UserId}",
                $"/admin-list-ledger?user_id={phone.UserId}",
                $"/admin-search-users?q={transaction}",
                "/admin-search-users",
                "/admin-list-purchases",
                "/admin-list-actions",
                "/admin-list-admins",
                "/admin-list-sessions",
                "/admin-list-passkeys",
                "/admin-list-approvals",
                "/admin-list-jobs",
                $"/admin-get-job?job_id={job}",
                $"/admin-get-trace?id={job}",
                "/admin-group-errors",
                "/admin-list-errors",
                "/admin-list-deliveries",
                "/admin-list-outbox",
                "/admin-list-reports",
                "/admin-list-models",
                "/admin-list-themes",
                "/admin-list-products",
                "/admin-list-app-settings",
                "/admin-list-consent-terms",
                "/admin-overview",
                "/admin-overview?hours=200",
                "/admin-model-margins",
                "/admin-theme-stats",
                "/admin-system",
            }
        )
        {
            Assert.Equal(HttpStatusCode.OK, (await system.GetAsync(path)).Status);
        }
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-find-users", new { q = transaction })).Status);
        var onUser = new { user_id = phone.UserId, reason = "a reason of its own" };
        foreach (var name in new[] { "admin-ban-user", "admin-unban-user", "admin-end-sessions" })
        {
            Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/" + name, onUser)).Status);
        }
        var tier = new
        {
            user_id = phone.UserId,
            tier = "premium",
            reason = "a reason of its own",
        };
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-set-tier", tier)).Status);
    }
}

using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>The records of admin operations say exactly what SQL takes and answers; <see cref="AdminRecords"/> holds each call of these tests against them.</summary>
public sealed class AdminRecordTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    /// <summary>What has no records yet. The list only becomes shorter.</summary>
    private static readonly string[] WithoutRecords =
    [
        "admin-cancel-job",
        "admin-close-report",
        "admin-create-promo-code",
        "admin-end-promo-code",
        "admin-get-job",
        "admin-get-trace",
        "admin-group-errors",
        "admin-list-app-settings",
        "admin-list-consent-terms",
        "admin-list-deliveries",
        "admin-list-errors",
        "admin-list-jobs",
        "admin-list-models",
        "admin-list-outbox",
        "admin-list-products",
        "admin-list-promo-codes",
        "admin-list-promo-redemptions",
        "admin-list-reports",
        "admin-list-themes",
        "admin-model-margins",
        "admin-overview",
        "admin-preview-model",
        "admin-publish-consent-terms",
        "admin-request-ledger-check",
        "admin-resend-delivery",
        "admin-retry-job",
        "admin-save-app-settings",
        "admin-save-model",
        "admin-save-product",
        "admin-save-theme",
        "admin-system",
        "admin-theme-stats",
        "admin-toggle-model",
    ];

    [Fact]
    public void Each_operation_has_a_record_for_its_request_and_its_answer() =>
        Assert.Equal(
            WithoutRecords,
            AdminSystem.Operations.Where(operation => operation.Request is null).Select(operation => operation.Name).Order(StringComparer.Ordinal)
        );

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

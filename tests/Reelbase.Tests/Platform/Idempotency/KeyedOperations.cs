using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>One request that takes a key, with what it needs already there.</summary>
/// <param name="Path">Where it is sent.</param>
/// <param name="Http">Who sends it.</param>
/// <param name="Body">The request.</param>
/// <param name="OtherBody">Another one that would be right too.</param>
/// <param name="Effects">SQL that counts what was done.</param>
internal sealed record KeyedOperation(string Path, HttpClient Http, string Body, string OtherBody, string Effects)
{
    /// <summary>Whether it is refused without a key.</summary>
    public bool NeedsKey { get; init; } = true;

    /// <summary>Another request that no key makes right; null when a request cannot be beyond a bound.</summary>
    public string? BodyBeyondBounds { get; init; }

    /// <summary>SQL after which the same request under a new key would be refused; null when nothing has it refused.</summary>
    public string? Afterwards { get; init; }
}

/// <summary>Every kind of operation that takes a key: of users, of admins with their keys inside, and of admins through <c>call_admin_once</c>.</summary>
internal static class KeyedOperations
{
    public static readonly string[] Names =
    [
        "generate-video",
        "redeem-promo-code",
        "admin-refund-credits",
        "admin-adjust-credits",
        "admin-adjust-credits to be approved",
        "admin-retry-job",
        "admin-approve",
        "admin-save-theme",
        "admin-ban-user",
    ];

    /// <summary>One of a subject of its own.</summary>
    /// <param name="system">Where it is done.</param>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="admin">Who does it, when it is an operation of admins.</param>
    public static async Task<KeyedOperation> NewAsync(AdminSystem system, string name, HttpClient admin)
    {
        var phone = await system.NewGuestAsync(20);
        var user = phone.UserId;
        var unique = $"by the table {Guid.NewGuid():N}";
        switch (name)
        {
            case "generate-video":
                return new(
                    "/generate-video",
                    phone.Http,
                    Video("A kite"),
                    Video("A boat"),
                    $"quota_log where user_id = '{user}' and reason = 'video_generation'"
                )
                {
                    Afterwards = $"select deduct_credits('{user}', 10, 'admin_adjustment')",
                };
            case "redeem-promo-code":
                var (code, other) = (NewCode(), NewCode());
                var id = await system.NewPromoCodeAsync(code, 5, 10);
                await system.NewPromoCodeAsync(other, 5, 10);
                return new("/redeem-promo-code", phone.Http, Code(code), Code(other), $"promo_redemptions where user_id = '{user}'")
                {
                    NeedsKey = false,
                    Afterwards = $"update promo_codes set ended_at = now() where id = '{id}'",
                };
            case "admin-refund-credits":
            case "admin-adjust-credits":
                return new("/" + name, admin, Credits(3), Credits(4), $"admin_actions where target_user_id = '{user}'")
                {
                    BodyBeyondBounds = Credits(100_001),
                    Afterwards = $"update users set deleted_at = now() where id = '{user}'",
                };
            case "admin-adjust-credits to be approved":
                return new("/admin-adjust-credits", admin, Credits(600), Credits(601), $"admin_approvals where target_user_id = '{user}'")
                {
                    BodyBeyondBounds = Credits(100_001),
                    Afterwards = $"update users set deleted_at = now() where id = '{user}'",
                };
            case "admin-retry-job":
                var job = (await phone.GenerateAndWatchAsync("Fails [fail]")).GetProperty("job_id").GetString();
                return new("/" + name, admin, Retry("our fault"), Retry("the fault of the provider"), $"video_jobs where retry_of = '{job}'")
                {
                    Afterwards = $"update video_jobs set deleted_at = now() where job_id = '{job}'",
                };
                string Retry(string reason) => $$"""{"job_id":"{{job}}","reason":"{{reason}}"}""";
            case "admin-approve":
                using (var colleague = await system.TokenAsync($"asks-{Guid.NewGuid():N}@support.example"))
                {
                    var asked = await IdempotencyKeyTests.SendAsync(new("/admin-adjust-credits", colleague, Credits(600), "", ""), $"{Guid.NewGuid()}");
                    var approval = asked["approval_id"].GetGuid();
                    return new("/" + name, admin, Approve(approval, true), Approve(approval, false), $"quota_log where user_id = '{user}' and change = 600")
                    {
                        NeedsKey = false,
                        Afterwards = $"update users set deleted_at = now() where id = '{user}'",
                    };
                }
            case "admin-save-theme":
                return new("/" + name, admin, Theme("A kite"), Theme("A boat"), $"themes where name = '{unique}'") { NeedsKey = false };
            case "admin-ban-user":
                return new("/" + name, admin, Reason("insults people"), Reason("sells codes"), $"admin_actions where target_user_id = '{user}'")
                {
                    NeedsKey = false,
                    Afterwards = $"update users set deleted_at = now() where id = '{user}'",
                };
            default:
                throw new ArgumentOutOfRangeException(nameof(name), name, null);
        }

        string Credits(int amount) => $$"""{"user_id":"{{user}}","amount":{{amount}},"reason":"by the table"}""";
        string Reason(string reason) => $$"""{"user_id":"{{user}}","reason":"{{reason}}"}""";
        string Theme(string prompt) => $$"""{"name":"{{unique}}","prompt":"{{prompt}}","reason":"by the table"}""";
    }

    private static string NewCode() => "T" + Guid.NewGuid().ToString("N")[..20].ToUpperInvariant();

    private static string Video(string prompt) => $$"""{"model_id":"{{Catalog.FastModel}}","prompt":"{{prompt}}"}""";

    private static string Code(string code) => $$"""{"code":"{{code}}"}""";

    private static string Approve(Guid id, bool isApproved) =>
        $$"""{"approval_id":"{{id}}","approve":{{(isApproved ? "true" : "false")}},"reason":"by the table"}""";
}

using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Accounts;

/// <summary>What admins can do and see of users and the texts that they agree to.</summary>
internal static class AccountsOperations
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        Query(
            "admin-search-users",
            "The newest users; with q as admin-find-users, which does not put it into an address",
            new AdminField("q", "1000000123456789", "What to look for; better by admin-find-users"),
            Limit,
            Before
        ) with
        {
            ByBody = "admin-find-users",
        },
        Query(
            "admin-find-users",
            "Find users by id, e-mail, Apple transaction, job, device or trace",
            new AdminField("q", "1000000123456789", "What to look for", true),
            Limit
        ) with
        {
            Function = "admin_search_users",
            IsAskedByBody = true,
        },
        Query("admin-get-user", "One user, whole", User),
        Query("admin-user-stats", "A user, the figures of their jobs and the last ledger rows", User) with
        {
            Example = new
            {
                user = new
                {
                    id = UserId,
                    is_guest = true,
                    credits_remaining = 2,
                },
                stats = new
                {
                    total_jobs = 1,
                    completed_jobs = 1,
                    failed_jobs = 0,
                    success_rate = "100.00",
                },
                recent_transactions = Array.Empty<object>(),
            },
        },
        Change("admin-ban-user", "Ban a user, at once", User, Reason) with
        {
            Response = typeof(AdminSuccessResponse),
        },
        Change("admin-unban-user", "End a ban", User, Reason) with
        {
            Response = typeof(AdminSuccessResponse),
        },
        Change("admin-set-tier", "Make a user premium, or free again", User, new("tier", "premium", "free or premium", true), Reason),
        Query("admin-list-consent-terms", "Texts that users are asked to agree to, by kind and version, the newest first"),
        Change(
            "admin-publish-consent-terms",
            "Publish a version of a text, which holds from now on and is never changed; operators only",
            new AdminField("kind", "ai_processing", "terms, ai_processing or consumption_data", true),
            new("version", "2026-11", "1 to 50 characters, new for its kind", true),
            new(
                "texts",
                new Dictionary<string, object> { ["en"] = "Your prompt is sent to: {recipients}." },
                "By language (en, tr, es), English at least; {recipients} stands for the list",
                true
            ),
            new("recipients", new[] { "Google" }, "Who gets data beside the configured providers: vendors behind a gateway"),
            Reason
        ) with
        {
            Response = typeof(AdminSuccessResponse),
        },
    ];
}

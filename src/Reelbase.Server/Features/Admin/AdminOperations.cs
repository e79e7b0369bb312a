using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Features.Admin;

/// <summary>The new balance after a change of credits.</summary>
public sealed record AdminBalanceResponse(bool Success, int NewBalance);

/// <summary>Nothing has moved: another admin has to approve it, until then.</summary>
public sealed record AdminPendingResponse(bool Pending, Guid ApprovalId, DateTime ExpiresAt);

/// <summary>How a request was decided: the answer of what was approved, or that it was declined.</summary>
public sealed record AdminDecisionResponse(bool Success, int? NewBalance = null, bool? Declined = null);

/// <summary>What a purchase gave that was given to its owner; 0 when it was theirs already.</summary>
public sealed record AdminAssignmentResponse(bool Success, int CreditsAdded);

/// <summary>It is done.</summary>
public sealed record AdminSuccessResponse(bool Success);

/// <summary>Everything that admins can do and see, by feature.</summary>
public static class AdminOperations
{
    private const string UserId = "0b9fd0a2-6a55-4d2e-a6c3-5c0d3a2f9b10";
    private const string JobId = "019a0000-0000-7000-8000-000000000001";
    private const string ApprovalId = "5f0c6f5e-3a55-4c0e-9d0e-2b7a4a3f1c10";
    private const string ModelId = "a0000000-0000-4000-8000-000000000001";

    private static readonly AdminField User = new("user_id", UserId, "Whom it is about", true);
    private static readonly AdminField Job = new("job_id", JobId, "Which job", true);
    private static readonly AdminField PromoCode = new("promo_code_id", ApprovalId, "Which promo code", true);
    private static readonly AdminField Reason = new("reason", "asked for by the user, ticket 1234", "Why; 3 to 500 characters, kept in the audit", true);
    private static readonly AdminField Limit = new("limit", 25, "1 to 100");
    private static readonly AdminField Before = new("before", "", "The next_before of the page before");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } =
    [
        // Credits
        Change(
            "admin-refund-credits",
            "Give credits back, for a job (no more than is left of its charge) or just so",
            User,
            new("amount", 8, "1 or more", true),
            Reason,
            Job with
            {
                IsRequired = false,
            }
        ) with
        {
            NeedsKey = true,
            Arguments = "$1::uuid, $2::jsonb, $3::jsonb, null",
            Rules = CreditRules,
            MayPend = true,
            Response = typeof(AdminBalanceResponse),
            Example = new AdminBalanceResponse(true, 18),
        },
        Change("admin-adjust-credits", "Set a balance right, up or down, never below zero", User, new("amount", -5, "Not 0", true), Reason) with
        {
            NeedsKey = true,
            Arguments = "$1::uuid, $2::jsonb, $3::jsonb, null",
            Rules = CreditRules,
            MayPend = true,
            Response = typeof(AdminBalanceResponse),
            Example = new AdminBalanceResponse(true, 5),
        },
        Query(
            "admin-list-approvals",
            "Credits that wait for another admin's approval, and what was decided",
            new AdminField("status", "pending", "pending, approved, declined or expired"),
            Limit
        ),
        Change(
            "admin-approve",
            "Carry out what another admin asked for, or decline it; operators only, and never the one who asked",
            new AdminField("approval_id", ApprovalId, "Which request", true),
            new("approve", true, "false: decline it"),
            Reason with
            {
                IsRequired = false,
                Description = "What there is to say about it; 3 to 500 characters",
            }
        ) with
        {
            Arguments = "$1::uuid, $2::jsonb, $3::jsonb",
            Rules = CreditRules,
            Response = typeof(AdminDecisionResponse),
            Example = new AdminDecisionResponse(true, 18),
        },
        Query("admin-list-ledger", "A user's whole ledger with the running balance", User, Limit, Before),
        // Accounts
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
        Change("admin-end-sessions", "Sign a user out everywhere", User, Reason),
        // Jobs
        Query(
            "admin-list-jobs",
            "Jobs, newest first",
            User with
            {
                IsRequired = false,
            },
            new AdminField("status", "failed", "pending, processing, completed, failed, or open for all that have not ended"),
            new AdminField("provider", "fal", "Which provider"),
            new AdminField("error_code", ErrorCodes.ProviderUnavailable, "How it failed"),
            Limit,
            Before
        ),
        Query("admin-get-job", "One job from acceptance to push", Job),
        Change("admin-cancel-job", "Cancel a job that has not ended", Job, Reason),
        Change("admin-retry-job", "Retry a failed video; its user pays nothing", Job, Reason) with
        {
            NeedsKey = true,
            Arguments = "$1, $2::jsonb, $3",
        },
        // Catalog and shop
        Query("admin-list-models", "Every model"),
        Change(
            "admin-toggle-model",
            "Switch a model on or off",
            new AdminField("model_id", ModelId, "Which model", true),
            new("is_available", false, "On or off", true),
            Reason
        ) with
        {
            Response = typeof(AdminSuccessResponse),
        },
        Query(
            "admin-preview-model",
            "What a model would be after a change that is not made: what the app gets, what each option costs, what the provider is sent",
            new AdminField("model_id", ModelId, "Which model; a new one when absent"),
            new("name", "Veo 3.1 Fast", "Its name; and any other field that admin-save-model takes")
        ) with
        {
            IsAskedByBody = true,
            Example = new
            {
                fault = (string?)null,
                app = new { id = ModelId, name = "Veo 3.1 Fast" },
                settings = new { duration = 8 },
                prices = new[]
                {
                    new
                    {
                        settings = new { duration = 8 },
                        credits = 8,
                        cost_micros = 800_000,
                    },
                },
                provider_request = new { address = "POST https://queue.fal.run/fal-ai/veo3.1/fast", body = new { prompt = "A paper boat", duration = "8s" } },
            },
        },
        Change(
            "admin-save-model",
            "Make a model, or change the fields that are named",
            new AdminField("model_id", ModelId, "Which model; a new one when absent"),
            new("name", "Veo 3.1 Fast", "Its name"),
            new("cost_per_generation", 8, "Credits of a default generation"),
            Reason
        ),
        Query("admin-list-themes", "Every theme"),
        Change(
            "admin-save-theme",
            "Make a theme, or change the fields that are named",
            new AdminField("theme_id", "5a000000-0000-4000-8000-000000000001", "Which theme; a new one when absent"),
            new("name", "Paper boat", "Its name"),
            Reason
        ),
        Query("admin-list-products", "What the app sells"),
        Change(
            "admin-save-product",
            "Make a product, or change one",
            new AdminField("product_id", "com.example.credits.25", "Apple's product id", true),
            new("credits", 25, "What it gives", true),
            new("is_active", true, "Whether it is sold"),
            Reason
        ),
        Query(
            "admin-list-purchases",
            "Purchases, newest first",
            new AdminField("environment", "Production", "Production or Sandbox"),
            new AdminField("state", "unowned", "unowned: nobody is known to own it; waiting: its product is not known"),
            Limit,
            Before
        ),
        Change(
            "admin-assign-purchase",
            "Give a purchase without an owner to its owner, once",
            new AdminField("transaction_id", "2000000900000001", "Apple's id; Apple is asked when we do not know it", true),
            User,
            Reason
        ) with
        {
            Response = typeof(AdminAssignmentResponse),
            Example = new AdminAssignmentResponse(true, 25),
        },
        // Promo codes
        Query("admin-list-promo-codes", "Promo codes and their uses; the codes themselves are not known"),
        Query("admin-list-promo-redemptions", "Who redeemed a promo code", PromoCode, Limit, Before),
        Change(
            "admin-create-promo-code",
            "Make a promo code, which nobody can read again; operators only",
            new AdminField("code", "K7MX-2QRT-9WBD", "6 to 40 letters or digits; capitals, blanks and dashes make no difference", true),
            new("label", "Launch", "What it is for", true),
            new("credits", 10, "What a redemption gives; no more than one admin may give without approval", true),
            new("max_redemptions", 500, "How often it can be redeemed, by everybody together", true),
            new("starts_at", "2027-01-01T00:00:00Z", "Not before; now when absent"),
            new("ends_at", "2027-01-31T00:00:00Z", "Not after"),
            Reason
        ) with
        {
            Example = new { success = true, promo_code_id = ApprovalId },
        },
        Change("admin-end-promo-code", "End a promo code now; what was redeemed stays; operators only", PromoCode, Reason) with
        {
            Response = typeof(AdminSuccessResponse),
        },
        // Consents
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
        // App settings
        Query("admin-list-app-settings", "Flags of the app, and the server's limits that can be changed, with their bounds"),
        Change(
            "admin-save-app-settings",
            "Set flags of the app and limits of the server, all or none; operators only",
            new AdminField(
                "settings",
                new Dictionary<string, object> { ["new_onboarding"] = true, ["Generation:GuestPerWindow"] = 20 },
                "JSON values by key; null removes one",
                true
            ),
            Reason
        ) with
        {
            Example = new { success = true, changed = 2 },
        },
        // Messages and reports
        Query(
            "admin-list-deliveries",
            "What came in by webhook",
            new AdminField("status", "failed", "pending, processed or failed"),
            new AdminField("inbox", "provider", "provider, app_store or apple_account"),
            Limit,
            Before
        ),
        Change("admin-resend-delivery", "Handle a stored webhook once more", new AdminField("delivery_id", 12, "Which one", true), Reason),
        Query("admin-list-outbox", "Pushes and alerts", Limit),
        Query("admin-list-reports", "Videos that users have reported", new AdminField("status", "open", "open or closed"), Limit),
        Change("admin-close-report", "A report has been dealt with", new AdminField("report_id", 3, "Which one", true), Reason),
        // Operations
        Query("admin-group-errors", "Errors in groups", new AdminField("hours", 24, "1 to 720")),
        Query(
            "admin-list-errors",
            "Single errors",
            new AdminField("error_code", ErrorCodes.RateLimited, "Which code"),
            new AdminField("endpoint", "/generate-video", "Which route"),
            Limit,
            Before
        ),
        Query(
            "admin-get-trace",
            "Everything that belongs to a trace id or a job",
            new AdminField("id", "4bf92f3577b34da6a3ce929d0e0e4736", "A trace id or a job id", true)
        ),
        Query("admin-overview", "The figures of a range", new AdminField("hours", 24, "1 to 8784")),
        Query(
            "admin-model-margins",
            "What each model brought and what its provider billed, the smallest margin first",
            new AdminField("days", 30, "1 to 366")
        ) with
        {
            Arguments = "$1::uuid, $2::jsonb, $3::jsonb",
        },
        Query("admin-theme-stats", "Jobs, success and credits of each theme in a range, the most used first", new AdminField("hours", 24, "1 to 8784")),
        Query("admin-system", "Nodes, schedules, the last cleanup and check"),
        Change("admin-request-ledger-check", "Ask for a check of every ledger", Reason),
        Query(
            "admin-list-actions",
            "What admins did",
            new AdminField("admin_user_id", UserId, "By whom"),
            new AdminField("target_user_id", UserId, "To whom"),
            new AdminField("target_id", JobId, "To what else"),
            Limit,
            Before
        ),
        Query("admin-list-admins", "Who is an admin"),
        Query("admin-list-passkeys", "The calling admin's passkeys, or another admin's for an operator", User with { IsRequired = false }),
        Change(
            "admin-remove-passkey",
            "Take a passkey away: one's own, or anybody's by an operator",
            new AdminField("passkey_id", ApprovalId, "Which one", true),
            Reason
        ) with
        {
            Response = typeof(AdminSuccessResponse),
        },
        Query("admin-list-sessions", "Where the calling admin is signed in: consoles, and tokens of the command line"),
        Change(
            "admin-end-session",
            "End one of the calling admin's own sessions; another than the one that asks takes a sign-in of the last ten minutes",
            new AdminField("session_id", ApprovalId, "Which one", true),
            Reason
        ) with
        {
            Response = typeof(AdminSuccessResponse),
        },
        Change("admin-set-role", "Make an admin support or an operator; operators only", User, new("role", "support", "support or operator", true), Reason),
        Change("admin-revoke-admin", "Take an admin's right away", User, Reason) with
        {
            Response = typeof(AdminSuccessResponse),
        },
    ];

    private static readonly Dictionary<string, AdminOperation> ByName = All.ToDictionary(operation => operation.Name, StringComparer.Ordinal);

    /// <summary>The operation of a name.</summary>
    public static AdminOperation Find(string name) => ByName[name];

    private static AdminOperation Query(string name, string summary, params AdminField[] fields) =>
        new(name, name.Replace('-', '_'), summary, fields) { Example = new { rows = Array.Empty<object>() } };

    private static AdminOperation Change(string name, string summary, params AdminField[] fields) =>
        new(name, name.Replace('-', '_'), summary, fields) { IsChange = true };

    private static object CreditRules(IServiceProvider services) => services.GetRequiredService<IOptions<AdminOptions>>().Value.CreditRules();
}

using Reelbase.Server.Platform.Modules;
using static Reelbase.Server.Platform.Modules.AdminField;
using static Reelbase.Server.Platform.Modules.AdminOperation;

namespace Reelbase.Server.Features.Accounts;

/// <summary>What admins can do and see of users and the texts that they agree to.</summary>
internal static class AccountsOperations
{
    private static readonly DateTime Moment = new(2027, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    private static readonly AdminUser Somebody = new(Guid.Parse(UserId), null, true, "free", 2, 10, false, null, null, null, "en", false, true, Moment, Moment);

    private static readonly AdminUserFigures Figures = new(1, 1, 0, "100.00");

    public static AdminOperation<AdminSearchUsersRequest, AdminUsersResponse> Search { get; } =
        QueryOf(
            "admin-search-users",
            "The newest users; with q as admin-find-users, which does not put it into an address",
            new AdminSearchUsersRequest(),
            new AdminUsersResponse([], null, null)
        ) with
        {
            ByBody = "admin-find-users",
        };

    public static AdminOperation<AdminFindUsersRequest, AdminUsersResponse> Find { get; } =
        QueryOf(
            "admin-find-users",
            "Find users by id, e-mail, Apple transaction, job, device or trace",
            new AdminFindUsersRequest("1000000123456789", 25),
            new AdminUsersResponse([], null, null)
        ) with
        {
            Function = "admin_search_users",
            IsAskedByBody = true,
        };

    public static AdminOperation<AdminUserRequest, AdminUserDetailsResponse> Get { get; } =
        QueryOf(
            "admin-get-user",
            "One user, whole",
            new AdminUserRequest(Guid.Parse(UserId)),
            new AdminUserDetailsResponse(Somebody, [], Figures, [], [], [], [], [], 0, [], [], [])
        );

    public static AdminOperation<AdminUserRequest, AdminUserStatsResponse> Stats { get; } =
        QueryOf(
            "admin-user-stats",
            "A user, the figures of their jobs and the last ledger rows",
            new AdminUserRequest(Guid.Parse(UserId)),
            new AdminUserStatsResponse(Somebody, Figures, [])
        );

    public static AdminOperation<AdminUserActionRequest, AdminSuccessResponse> Ban { get; } =
        ChangeOf("admin-ban-user", "Ban a user, at once", AdminUserActionRequest.Sample, new AdminSuccessResponse(true));

    public static AdminOperation<AdminUserActionRequest, AdminSuccessResponse> Unban { get; } =
        ChangeOf("admin-unban-user", "End a ban", AdminUserActionRequest.Sample, new AdminSuccessResponse(true));

    public static AdminOperation<AdminSetTierRequest, AdminTierResponse> SetTier { get; } =
        ChangeOf(
            "admin-set-tier",
            "Make a user premium, or free again",
            new AdminSetTierRequest(Guid.Parse(UserId), "premium", SomeReason),
            new AdminTierResponse(true, "premium")
        );

    public static AdminOperation<AdminEmptyRequest, AdminListConsentTermsResponse> ConsentTerms { get; } =
        QueryOf(
            "admin-list-consent-terms",
            "Texts that users are asked to agree to, by kind and version, the newest first",
            new AdminEmptyRequest(),
            new AdminListConsentTermsResponse("on", ["Google"], [])
        );

    public static AdminOperation<AdminPublishConsentTermsRequest, AdminSuccessResponse> PublishTerms { get; } =
        ChangeOf(
            "admin-publish-consent-terms",
            "Publish a version of a text, which holds from now on and is never changed; operators only",
            new AdminPublishConsentTermsRequest(
                "ai_processing",
                "2026-11",
                new Dictionary<string, string> { ["en"] = "Your prompt is sent to: {recipients}." },
                SomeReason,
                ["Google"]
            ),
            new AdminSuccessResponse(true)
        );

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdminOperation> All { get; } = [Search, Find, Get, Stats, Ban, Unban, SetTier, ConsentTerms, PublishTerms];
}

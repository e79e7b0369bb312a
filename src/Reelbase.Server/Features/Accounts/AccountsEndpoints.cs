using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Accounts;

/// <summary>The User object of the apps. The device id is a secret and always null here; the member stays for apps that read it.</summary>
public sealed record UserProfile(
    Guid Id,
    string? Email,
    string? DeviceId,
    string? AppleSub,
    bool IsGuest,
    string Tier,
    int CreditsRemaining,
    int CreditsTotal,
    bool InitialGrantClaimed,
    string Language,
    string ThemePreference,
    DateTime CreatedAt,
    DateTime UpdatedAt
);

/// <summary>What a user may change about themself.</summary>
public sealed record UpdateSettingsRequest(string? Language = null, string? ThemePreference = null, string? UserId = null)
{
    public UpdateSettingsRequest()
        : this(null, null, null) { }
}

/// <summary>The changed user.</summary>
public sealed record UpdateSettingsResponse(bool Success, UserProfile User);

/// <summary>One's own profile and settings.</summary>
public static class AccountsEndpoints
{
    internal static readonly UserProfile Example = new(
        Guid.Parse("0b9fd0a2-6a55-4d2e-a6c3-5c0d3a2f9b10"),
        null,
        null,
        null,
        true,
        "free",
        2,
        10,
        true,
        "tr",
        "dark",
        new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        new DateTime(2026, 1, 2, 3, 4, 6, DateTimeKind.Utc)
    );

    public static void MapAccounts(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").WithTags("Accounts");
        group
            .MapGet("/get-user-profile", ProfileAsync)
            .WithName("get-user-profile")
            .RequiresUser()
            .WithSummary("The caller's profile")
            .Query("user_id", "Optional; must be the caller")
            .Produces<UserProfile>()
            .Fails(401, 403, 404, 503)
            .Examples(null, Example);
        group
            .MapPost("/update-user-settings", UpdateAsync)
            .WithName("update-user-settings")
            .RequiresUser()
            .WithSummary("Set language and theme preference")
            .Accepts<UpdateSettingsRequest>("application/json")
            .Produces<UpdateSettingsResponse>()
            .Fails(400, 401, 403, 404, 413, 415, 503)
            .Examples(new { language = "tr", theme_preference = "dark" }, new UpdateSettingsResponse(true, Example));
    }

    private static async Task<IResult> ProfileAsync(HttpContext context, CallerResolver callers, ApiDatabase database)
    {
        var caller = await callers.RequireUserAsync(context);
        return Json.Result(await ReadAsync(context, database, caller));
    }

    private static async Task<IResult> UpdateAsync(HttpContext context, CallerResolver callers, ApiDatabase database)
    {
        var request = await RequestBody.ReadAsync<UpdateSettingsRequest>(context);
        var caller = await callers.RequireUserAsync(context, request.UserId);
        if (request.Language is { } language && !ErrorCatalog.Languages.Contains(language))
        {
            throw ApiException.Field(ErrorCodes.InvalidSettings, "language", "en_tr_or_es");
        }
        if (request.ThemePreference is not (null or "system" or "light" or "dark"))
        {
            throw ApiException.Field(ErrorCodes.InvalidSettings, "theme_preference", "system_light_or_dark");
        }
        await database.ExecuteAsync(
            caller,
            "select update_user_settings($1::text, $2::text)",
            context.RequestAborted,
            request.Language,
            request.ThemePreference
        );
        return Json.Result(new UpdateSettingsResponse(true, await ReadAsync(context, database, caller)));
    }

    internal static async Task<UserProfile> ReadAsync(HttpContext context, ApiDatabase database, Caller caller) =>
        (await database.QuerySingleOrDefaultAsync<UserProfile>(caller, "select * from get_user_profile()", context.RequestAborted))!;
}

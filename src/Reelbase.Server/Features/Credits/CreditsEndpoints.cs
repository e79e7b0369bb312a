using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Credits;

/// <summary>A balance.</summary>
/// <param name="CreditsRemaining">What can be spent.</param>
/// <param name="CreditsTotal">What was ever earned or bought; never falls.</param>
public sealed record CreditsResponse(int CreditsRemaining, int CreditsTotal);

/// <summary>One line of the ledger.</summary>
public sealed record LedgerLine(Guid Id, long Seq, int Change, string Reason, Guid? JobId, string? TransactionId, int BalanceAfter, DateTime CreatedAt);

/// <summary>A page of the ledger.</summary>
public sealed record CreditHistoryResponse(long? NextBefore, IReadOnlyList<LedgerLine> Transactions);

/// <summary>Reading one's balance and ledger.</summary>
public static class CreditsEndpoints
{
    public static void MapCredits(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").WithTags("Credits");
        group
            .MapGet("/get-user-credits", CreditsAsync)
            .WithName("get-user-credits")
            .RequiresUser()
            .WithSummary("The caller's balance")
            .Query("user_id", "Optional; must be the caller")
            .Produces<CreditsResponse>()
            .Fails(401, 403, 404, 503)
            .Examples(null, new CreditsResponse(2, 10));
        group
            .MapGet("/get-credit-history", HistoryAsync)
            .WithName("get-credit-history")
            .RequiresUser()
            .WithSummary("The caller's ledger, newest first")
            .Query("limit", "1 to 100; 20 when absent")
            .Query("before", "The next_before of the page before")
            .Query("user_id", "Optional; must be the caller")
            .Produces<CreditHistoryResponse>()
            .Fails(400, 401, 403, 404, 503)
            .Examples(
                null,
                new CreditHistoryResponse(
                    null,
                    [
                        new(
                            Guid.Parse("019a0000-0000-4000-8000-000000000012"),
                            12,
                            -8,
                            "video_generation",
                            Guid.Parse("019a0000-0000-7000-8000-000000000001"),
                            null,
                            2,
                            new DateTime(2026, 1, 2, 3, 5, 0, DateTimeKind.Utc)
                        ),
                        new(
                            Guid.Parse("019a0000-0000-4000-8000-000000000011"),
                            11,
                            10,
                            "initial_grant",
                            null,
                            null,
                            10,
                            new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc)
                        ),
                    ]
                )
            );
    }

    private static async Task<IResult> CreditsAsync(HttpContext context, CallerResolver callers, ApiDatabase database)
    {
        var caller = await callers.RequireUserAsync(context);
        return Json.Result(await database.QuerySingleOrDefaultAsync<CreditsResponse>(caller, "select * from get_user_credits()", context.RequestAborted));
    }

    private static async Task<IResult> HistoryAsync(HttpContext context, CallerResolver callers, ApiDatabase database)
    {
        var caller = await callers.RequireUserAsync(context);
        var limit = (int)(RequestQuery.Number(context, "limit", 1, 100) ?? 20);
        var before = RequestQuery.Number(context, "before", 1, long.MaxValue);
        var lines = await database.ListAsync<LedgerLine>(caller, "select * from get_credit_history($1, $2::bigint)", context.RequestAborted, limit + 1, before);
        var page = lines.Take(limit).ToList();
        return Json.Result(new CreditHistoryResponse(lines.Count > limit ? page[^1].Seq : null, page));
    }
}

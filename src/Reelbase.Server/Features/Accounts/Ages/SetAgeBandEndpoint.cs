using System.Text.Json;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Accounts.Ages;

/// <summary>An age range as the phone gives it; a birthdate is not taken.</summary>
/// <param name="LowerBound">The youngest that the range allows; absent when the phone gives none.</param>
/// <param name="UpperBound">The oldest; absent when the phone gives none. One of the two is needed.</param>
/// <param name="Declaration">self, guardian, or checked (by a card or a document).</param>
/// <param name="UserId">Optional; must be the caller.</param>
public sealed record SetAgeBandRequest(int? LowerBound = null, int? UpperBound = null, string? Declaration = null, string? UserId = null)
{
    public SetAgeBandRequest()
        : this(LowerBound: null) { }
}

/// <summary>What is kept of it, and what it means.</summary>
/// <param name="Band">under_13, 13_15, 16_17 or 18_plus: the youngest that the range allows.</param>
/// <param name="Policy">allow, guardian or block.</param>
/// <param name="MayGenerate">false: a press would be refused with ERR_4014.</param>
public sealed record SetAgeBandResponse(bool Success, string Band, string Policy, bool MayGenerate);

/// <summary><c>POST /set-age-band</c>: the band of an account, used for nothing but whether it may make videos.</summary>
public static class SetAgeBandEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/set-age-band", HandleAsync)
            .WithTags("Ages")
            .WithName("set-age-band")
            .WithSummary("Note the age band that was declared for the caller, never a birthdate")
            .RequiresUser()
            .KeepsErrorsPrivate()
            .Accepts<SetAgeBandRequest>("application/json")
            .Produces<SetAgeBandResponse>()
            .Fails(400, 401, 403, 404, 409, 413, 415, 503)
            .Examples(
                new
                {
                    lower_bound = 13,
                    upper_bound = 15,
                    declaration = "guardian",
                },
                new SetAgeBandResponse(true, "13_15", "allow", true)
            );

    private static async Task<IResult> HandleAsync(HttpContext context, CallerResolver callers, ApiDatabase database)
    {
        var request = await RequestBody.ReadAsync<SetAgeBandRequest>(context);
        var caller = await callers.RequireUserAsync(context, request.UserId);
        var answer = await database.QuerySingleOrDefaultAsync<string>(
            caller,
            "select set_age_band($1, $2, $3)::text",
            context.RequestAborted,
            request.LowerBound,
            request.UpperBound,
            request.Declaration
        );
        return Json.Result(JsonSerializer.Deserialize<SetAgeBandResponse>(answer!, Json.Options)!);
    }
}

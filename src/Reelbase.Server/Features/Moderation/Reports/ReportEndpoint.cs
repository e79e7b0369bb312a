using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Moderation.Reports;

/// <summary>A video that is not as it should be.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Reason">Why, in the user's words; 1 to 1000 characters.</param>
/// <param name="UserId">Optional; must be the caller.</param>
public sealed record ReportContentRequest(string? JobId = null, string? Reason = null, string? UserId = null)
{
    public ReportContentRequest()
        : this(JobId: null) { }
}

/// <summary>Support will review it.</summary>
public sealed record ReportContentResponse(bool Success);

/// <summary><c>POST /report-content</c>: a user reports a generated video to support that offends.</summary>
public static class ReportEndpoint
{
    private const int MaxReasonLength = 1000;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/report-content", HandleAsync)
            .WithTags("Reports")
            .WithName("report-content")
            .WithSummary("Report a generated video to support")
            .RequiresUser()
            .Accepts<ReportContentRequest>("application/json")
            .Produces<ReportContentResponse>()
            .Fails(400, 401, 403, 404, 413, 415, 503)
            .Examples(
                new { job_id = "019a0000-0000-7000-8000-000000000001", reason = "It shows something that I did not ask for." },
                new ReportContentResponse(true)
            );

    private static async Task<IResult> HandleAsync(HttpContext context, CallerResolver callers, ApiDatabase database)
    {
        var request = await RequestBody.ReadAsync<ReportContentRequest>(context);
        var caller = await callers.RequireUserAsync(context, request.UserId);
        if (!Guid.TryParse(request.JobId, out var jobId))
        {
            throw request.JobId is null
                ? ApiException.Field(ErrorCodes.MalformedRequest, "job_id", "required")
                : new ApiException(ErrorCodes.NotFound, new { what = "job" });
        }
        if (request.Reason?.Trim() is not { Length: > 0 and <= MaxReasonLength } reason)
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "reason", "1_to_1000_characters");
        }
        await database.ExecuteAsync(caller, "select report_content($1, $2)", context.RequestAborted, jobId, reason);
        return Json.Result(new ReportContentResponse(true));
    }
}

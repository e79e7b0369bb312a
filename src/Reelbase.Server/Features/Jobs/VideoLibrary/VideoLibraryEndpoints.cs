using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Server.Features.Jobs.Live;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Jobs.VideoLibrary;

/// <summary>A page of jobs.</summary>
public sealed record JobListResponse(Guid? NextBefore, IReadOnlyList<JobListItem> Jobs);

/// <summary>Which job to delete.</summary>
public sealed record DeleteJobRequest(string? JobId = null, string? UserId = null)
{
    public DeleteJobRequest()
        : this(null, null) { }
}

/// <summary>Something was done.</summary>
public sealed record SuccessResponse(bool Success);

/// <summary>What a user sees of their jobs: one, live or at once; a list; and deleting.</summary>
public static class VideoLibraryEndpoints
{
    public static void MapVideoLibrary(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").WithTags("VideoLibrary");
        group
            .MapGet("/get-video-status", StatusAsync)
            .WithName("get-video-status")
            .RequiresUser()
            .WithSummary("One job; as text/event-stream, live until it ends")
            .Query("job_id", "The job", required: true)
            .Query("user_id", "Optional; must be the caller")
            .Produces<JobStatusResponse>()
            .Fails(400, 401, 403, 404, 429, 503)
            .Examples(
                null,
                new JobStatusResponse(
                    Guid.Parse("019a0000-0000-7000-8000-000000000001"),
                    "processing",
                    "A paper boat on a quiet lake",
                    "Veo 3.1 Fast",
                    8,
                    null,
                    null,
                    null,
                    null,
                    null,
                    new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
                    null,
                    new DateTime(2026, 1, 9, 3, 4, 5, DateTimeKind.Utc)
                )
            );
        group
            .MapGet("/get-video-jobs", ListAsync)
            .WithName("get-video-jobs")
            .RequiresUser()
            .WithSummary("The caller's jobs, newest first")
            .Query("limit", "1 to 100; 20 when absent")
            .Query("offset", "Jobs to leave out; prefer before")
            .Query("before", "The next_before of the page before")
            .Query("status", "pending, processing, completed or failed")
            .Query("q", "A piece of the prompt")
            .Query("user_id", "Optional; must be the caller")
            .Produces<JobListResponse>()
            .Fails(400, 401, 403, 404, 503)
            .Examples(
                null,
                new JobListResponse(
                    null,
                    [
                        new(
                            Guid.Parse("019a0000-0000-7000-8000-000000000001"),
                            "A paper boat on a quiet lake",
                            "Veo 3.1 Fast",
                            8,
                            "completed",
                            "https://reelbase.example/storage/v1/object/sign/videos/a/b.mp4?token=...",
                            null,
                            new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc)
                        ),
                    ]
                )
            );
        group
            .MapPost("/delete-video-job", DeleteAsync)
            .WithName("delete-video-job")
            .RequiresUser()
            .WithSummary("Delete a job and its files")
            .Accepts<DeleteJobRequest>("application/json")
            .Produces<SuccessResponse>()
            .Fails(400, 401, 403, 404, 413, 415, 503)
            .Examples(new { job_id = "019a0000-0000-7000-8000-000000000001" }, new SuccessResponse(true));
    }

    private static async Task<IResult> StatusAsync(
        HttpContext context,
        CallerResolver callers,
        ApiDatabase database,
        JobStatuses statuses,
        JobView view,
        LiveHub hub,
        LiveConnections live,
        StreamHeartbeat pulse
    )
    {
        // Shipped builds name the job alone; under their switch its owner is who asks.
        var isNamedByJob =
            callers.AcceptsShippedBuilds && !context.Request.Query.ContainsKey("user_id") && await callers.ReadAsync(context) is { UserId: null };
        var caller = isNamedByJob
            ? await callers.ClaimUnverifiedAsync(await OwnerAsync(), context.RequestAborted, "job_id")
            : await callers.RequireUserAsync(context);
        var jobId = ReadJobId(context.Request.Query["job_id"].FirstOrDefault());
        if (!context.Request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase))
        {
            return Json.Result(await ReadAsync());
        }
        var stream = new StatusStream(context, view, pulse, live.Open(caller.UserId!.Value, context.Connection.RemoteIpAddress));
        // Before the first reading, so that nothing falls between the two.
        stream.Watch(hub.Watch(caller, new([jobId], WantsStatus: true), stream));
        var current = await ReadAsync();
        if (StatusStream.HasSeenTheEnd(context, current))
        {
            stream.Dispose();
            return Results.NoContent();
        }
        return stream.From(current);

        async Task<string> OwnerAsync() =>
            (
                await database.ScalarAsync<Guid?>(
                    "select find_job_owner($1)",
                    context.RequestAborted,
                    ReadJobId(context.Request.Query["job_id"].FirstOrDefault())
                )
            )?.ToString() ?? throw new ApiException(ErrorCodes.NotFound, new { what = "job" });

        async Task<JobStatusResponse> ReadAsync()
        {
            try
            {
                return view.Status(context, await statuses.ReadAsync(caller, jobId, context.RequestAborted));
            }
            catch (Npgsql.NpgsqlException error)
            {
                throw DatabaseErrors.Translate(error);
            }
        }
    }

    private static async Task<IResult> ListAsync(HttpContext context, CallerResolver callers, ApiDatabase database, JobView view)
    {
        var caller = await callers.RequireUserAsync(context);
        var limit = (int)(RequestQuery.Number(context, "limit", 1, 100) ?? 20);
        var offset = (int)(RequestQuery.Number(context, "offset", 0, 100_000) ?? 0);
        var before = RequestQuery.Text(context, "before", 64) is { } text ? ReadJobId(text) : (Guid?)null;
        var status = RequestQuery.Text(context, "status", 20);
        if (status is not (null or "pending" or "processing" or "completed" or "failed"))
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "status", "unknown");
        }
        var rows = await database.ListAsync<JobListItem>(
            caller,
            "select * from get_video_jobs($1, $2, $3::uuid, $4::text, $5::text)",
            context.RequestAborted,
            limit + 1,
            offset,
            before,
            status,
            RequestQuery.Text(context, "q", 200)
        );
        var page = rows.Take(limit).Select(row => view.Item(context, row)).ToList();
        return Json.Result(new JobListResponse(rows.Count > limit ? page[^1].JobId : null, page));
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, CallerResolver callers, ApiDatabase database, ChangeFeed feed)
    {
        var request = await RequestBody.ReadAsync<DeleteJobRequest>(context);
        var caller = await callers.RequireUserAsync(context, request.UserId);
        if (request.JobId is null)
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "job_id", "required");
        }
        var jobId = ReadJobId(request.JobId);
        await database.ExecuteAsync(caller, "select delete_video_job($1)", context.RequestAborted, jobId);
        feed.Publish(VideoJobWorker.WakeTopic);
        feed.Publish(FileRemover.WakeTopic);
        feed.Publish(VideoJobWorker.TopicOf(jobId));
        return Json.Result(new SuccessResponse(true));
    }

    /// <summary>An id that is no UUID names no job.</summary>
    private static Guid ReadJobId(string? text) =>
        string.IsNullOrEmpty(text) ? throw ApiException.Field(ErrorCodes.MalformedRequest, "job_id", "required")
        : Guid.TryParse(text, out var id) ? id
        : throw new ApiException(ErrorCodes.NotFound, new { what = "job" });
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.Moderation;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Idempotency;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>The model, the prompt and the settings of a new video.</summary>
/// <param name="ModelId">The model; absent: the active one, when a theme is named.</param>
/// <param name="ThemeId">A theme whose settings, and prompt if none is given, are used.</param>
/// <param name="Prompt">What to show, 3 to 1000 characters.</param>
/// <param name="Settings">duration, resolution, aspect_ratio, audio ... as the model's required_fields list them.</param>
/// <param name="ImageUrl">A picture to start from, for models that want one: a public address, or a picture of the caller's own (its address here, or bucket/id/name).</param>
/// <param name="UserId">Optional; must be the caller.</param>
public sealed record GenerateVideoRequest(
    string? ModelId = null,
    string? ThemeId = null,
    string? Prompt = null,
    Dictionary<string, JsonElement>? Settings = null,
    string? ImageUrl = null,
    string? UserId = null
)
{
    public GenerateVideoRequest()
        : this(ModelId: null) { }
}

/// <summary>An accepted generation.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Status">pending.</param>
/// <param name="CreditsUsed">What was charged; the same is refunded should it fail.</param>
public sealed record GenerateVideoResponse(Guid JobId, string Status, int CreditsUsed);

/// <summary><c>POST /generate-video</c>: accepts and charges a generation exactly once per idempotency key.</summary>
public static class GenerateVideoEndpoint
{
    private const int MinPromptCharacters = 3;
    private const int MaxPromptCharacters = 1000;

    /// <summary>Characters as people count them can hold any number of code points; the stored text is bounded too.</summary>
    private const int MaxPromptLength = 8000;
    private const int MaxSettings = 16;
    private const int ModerationMinutes = 5;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/generate-video", HandleAsync)
            .WithTags("GenerateVideo")
            .WithName("generate-video")
            .WithSummary("Accept a generation and charge for it, exactly once per key")
            .RequiresUser()
            .Header(IdempotencyKey.Header, "A UUID; the same key with the same body gives the same answer for 24 hours", required: true)
            .Accepts<GenerateVideoRequest>("application/json")
            .Produces<GenerateVideoResponse>()
            .Fails(400, 401, 402, 403, 404, 413, 415, 422, 429, 503)
            .Examples(
                new
                {
                    theme_id = "5a000000-0000-4000-8000-000000000001",
                    prompt = "A paper boat on a quiet lake",
                    settings = new { duration = 8, resolution = "720p" },
                },
                new GenerateVideoResponse(Guid.Parse("019a0000-0000-7000-8000-000000000001"), "pending", 8)
            );

    private static async Task<IResult> HandleAsync(
        HttpContext context,
        CallerResolver callers,
        ApiDatabase database,
        ChangeFeed feed,
        Moderator moderator,
        ImageUrlRules images,
        PictureCopies copies,
        FileLinks links,
        GenerationLimit limit,
        IOptions<GenerationOptions> options
    )
    {
        // By the headers alone, before the body is read.
        if (await limit.RefuseAsync(context) is { } refused)
        {
            return refused;
        }
        var request = await RequestBody.ReadAsync<GenerateVideoRequest>(context);
        var caller = await callers.RequireUserAsync(context, request.UserId);
        // The key is read before the body, as the caller has to repair it first to be able to repeat anything.
        var key = IdempotencyKey.Require(context);
        var own = images.Check(request.ImageUrl, context);
        // What moderation is shown and what the provider will get are the same file, or the request is refused.
        var picture = own is null ? null : await FileEndpoints.FindOwnAsync(database, caller, own, context.RequestAborted);
        // Nothing of theirs leaves before they may and have agreed, be it to a moderation service; inside the transaction it is asked again, and decided.
        var early =
            moderator.AsksOutside || copies.AreOn
                ? await database.QuerySingleOrDefaultAsync<string>(caller, "select my_press_refusal()::text", context.RequestAborted)
                : null;
        PictureCopy? copy = null;
        if (own is null && early is null && request.ImageUrl is not null && copies.AreOn)
        {
            images.RequireOwnAddress();
            copy = await copies.TakeAsync(context, caller, request.ImageUrl);
        }
        var isKept = false;
        try
        {
            var canonical = Validate(request, own, copy, (picture ?? copy?.Picture)?.ObjectId);
            // Before the transaction, as it may ask a service; a refusal is raised inside it, so that a repeated key still finds its answer.
            var refusal =
                early
                ?? copy?.Refusal
                ?? Refusal(
                    await moderator.CheckAsync(
                        request.Prompt,
                        copy is null ? ForModeration(request, own, picture, links, context) : Link(copy.Picture, links, context),
                        context.RequestAborted
                    )
                );
            // An answer that is lost may be of a job that has the picture; what no job has goes with its user's old pictures.
            isKept = true;
            var accepted = await AcceptAsync(context, caller, database, limit, key, canonical, options.Value.QueueDeadlineSeconds, refusal);
            isKept = !accepted.Replayed;
            IdempotencyKey.Mark(context, accepted.Replayed);
            if (!accepted.Replayed)
            {
                feed.Publish(VideoJobWorker.WakeTopic);
                feed.Publish(CallerResolver.TopicOf(caller.UserId!.Value));
            }
            RateLimitHeaders.Set(context, accepted.RateLimit, accepted.RateRemaining, accepted.RateResetAt);
            limit.Note(caller, accepted.RateRemaining, accepted.RateResetAt);
            return Results.Text(accepted.ResponseData, "application/json", statusCode: accepted.StatusCode);
        }
        catch (Exception error) when (error is ApiException or Npgsql.PostgresException { SqlState: "RB001" })
        {
            isKept = false;
            throw;
        }
        finally
        {
            if (!isKept)
            {
                await copies.DropAsync(caller, copy);
            }
        }
    }

    private static async Task<Accepted> AcceptAsync(
        HttpContext context,
        Caller caller,
        ApiDatabase database,
        GenerationLimit limit,
        Guid key,
        string canonical,
        int queueDeadlineSeconds,
        string? refusal
    ) =>
        (
            await limit.WatchAsync(
                context,
                caller,
                () =>
                    database.WithPlaceAsync(
                        () =>
                            database.QuerySingleOrDefaultAsync<Accepted>(
                                caller,
                                "select * from generate_video($1, $2::jsonb, $3, $4::jsonb, $5, $6::jsonb)",
                                context.RequestAborted,
                                key,
                                canonical,
                                context.Connection.RemoteIpAddress,
                                limit.Rules,
                                queueDeadlineSeconds,
                                refusal
                            ),
                        context.RequestAborted,
                        limit.CheckAgain(context, caller)
                    )
            )
        )!;

    /// <summary>Where the moderation service can look at the picture.</summary>
    private static string? ForModeration(GenerateVideoRequest request, FileName? own, StoredPicture? picture, FileLinks links, HttpContext context) =>
        own is null ? request.ImageUrl : Link(picture, links, context);

    private static string? Link(StoredPicture? picture, FileLinks links, HttpContext context) =>
        picture is null ? null : links.Address(context, picture.StoreBucket, picture.StoreName, DateTime.UtcNow.AddMinutes(ModerationMinutes));

    private static string? Refusal(Verdict verdict) =>
        verdict switch
        {
            Verdict.NotAllowed => $$$"""{"code":"{{{ErrorCodes.ContentRejected}}}","details":{"field":"prompt","reason":"not_allowed"}}""",
            Verdict.Unavailable => $$$"""{"code":"{{{ErrorCodes.DatabaseUnavailable}}}","details":{"reason":"moderation_unavailable"}}""",
            _ => null,
        };

    /// <summary>Checks what needs no database, and writes the request in the one form that it is hashed and used in.</summary>
    private static string Validate(GenerateVideoRequest request, FileName? own, PictureCopy? copy, Guid? objectId)
    {
        if (request.ModelId is null && request.ThemeId is null)
        {
            throw ApiException.Field(ErrorCodes.InvalidSettings, "model_id", "model_id_or_theme_id_required");
        }
        var body = new JsonObject
        {
            ["model_id"] = Id(request.ModelId, ErrorCodes.ModelNotFound, new { reason = "not_a_uuid" }),
            ["theme_id"] = Id(request.ThemeId, ErrorCodes.NotFound, new { what = "theme" }),
            ["prompt"] = Prompt(request.Prompt),
            ["settings"] = Settings(request.Settings ?? []),
            // However it was addressed, the same picture is the same request.
            ["image_url"] = own is null ? request.ImageUrl : $"{own.Bucket}/{own.Canonical}",
            // Where its bytes are, which is no part of what was asked for.
            ["image_copy"] = copy?.Picture is null ? null : $"{copy.Name.Bucket}/{copy.Name.Canonical}",
            ["image_object_id"] = objectId?.ToString(),
        };
        return body.ToJsonString(Json.Options);
    }

    private static string? Id(string? text, string code, object details) =>
        text is null ? null
        : Guid.TryParse(text, out var id) ? id.ToString()
        : throw new ApiException(code, details);

    private static string? Prompt(string? prompt)
    {
        if (prompt is null)
        {
            return null;
        }
        var text = prompt.Trim();
        var (length, visible) = text.Length > MaxPromptLength ? (int.MaxValue, int.MaxValue) : VisibleText.Count(text);
        // What nobody can see asks for nothing, and does not help to the least length either.
        return visible >= MinPromptCharacters && length <= MaxPromptCharacters
            ? text
            : throw new ApiException(
                ErrorCodes.InvalidSettings,
                new
                {
                    field = "prompt",
                    reason = visible < MinPromptCharacters ? "too_short" : "too_long",
                    min = MinPromptCharacters,
                    max = MaxPromptCharacters,
                }
            );
    }

    private static JsonObject Settings(Dictionary<string, JsonElement> settings)
    {
        if (settings.Count > MaxSettings)
        {
            throw ApiException.Field(ErrorCodes.InvalidSettings, "settings", "too_many");
        }
        var result = new JsonObject();
        foreach (var (name, value) in settings)
        {
            result[name] = value.ValueKind switch
            {
                JsonValueKind.Null => null,
                JsonValueKind.True or JsonValueKind.False => JsonValue.Create(value.GetBoolean()),
                JsonValueKind.Number when value.TryGetInt32(out var number) => JsonValue.Create(number),
                JsonValueKind.String => JsonValue.Create(Text(name, value)),
                _ => throw ApiException.Field(ErrorCodes.InvalidSettings, "settings." + name[..Math.Min(name.Length, 64)], "wrong_type"),
            };
        }
        return result;
    }

    private static string Text(string name, JsonElement value)
    {
        try
        {
            return Json.NullIfUnstorable(value.GetString()!) ?? throw ApiException.Field(ErrorCodes.MalformedRequest, "settings." + name, "not_valid_text");
        }
        catch (InvalidOperationException error)
        {
            // Half of a surrogate pair cannot be read as text.
            throw new ApiException(ErrorCodes.MalformedRequest, new { field = "settings." + name, reason = "not_valid_text" }, error);
        }
    }

    private sealed record Accepted(int StatusCode, string ResponseData, bool Replayed, Guid JobId, int? RateLimit, int? RateRemaining, DateTime? RateResetAt);
}

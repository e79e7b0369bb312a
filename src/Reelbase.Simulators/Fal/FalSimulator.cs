using System.Text.Json;

namespace Reelbase.Simulators.Fal;

/// <summary>fal's queue API under <c>/fal</c>: submit, status, result, cancel, files, keys; and its control calls.</summary>
public static class FalSimulator
{
    private static readonly string[] PictureFields = ["image_url", "start_image_url"];

    public static void MapFal(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/fal/.well-known/jwks.json", (FalWebhooks webhooks) => Results.Json(webhooks.KeySet()));
        routes.MapGet(
            "/fal/files/{id}/video.mp4",
            (string id, HttpContext context, FalState state, VideoFiles files) =>
                state.Requests.TryGetValue(id, out var request)
                    ? files.SendAsync(context, request.Directives, request.Prompt, request.IsFirstRead())
                    : Task.FromResult(Results.NotFound())
        );
        routes.MapGet("/fal/openapi.json", FalOpenApiDocuments.Respond);
        routes.MapPost("/fal/{**path}", SubmitAsync);
        routes.MapGet("/fal/{**path}", ReadAsync);
        routes.MapPut("/fal/{**path}", CancelAsync);
        routes.MapGet(
            "/_control/fal/requests",
            (FalState state) =>
                Results.Json(
                    new
                    {
                        requests = state
                            .Requests.Values.OrderBy(request => request.SubmittedAt)
                            .Select(request => new
                            {
                                request_id = request.Id,
                                model_id = request.ModelId,
                                input = request.Input,
                                submitted_at = request.SubmittedAt,
                                state = request.State,
                            }),
                    }
                )
        );
        routes.MapPost(
            "/_control/webhooks/fal",
            async (JsonElement call, HttpContext context, FalState state, FalWebhooks webhooks) =>
            {
                if (!state.Requests.TryGetValue(call.GetProperty("request_id").GetString()!, out var request) || request.WebhookUrl is null)
                {
                    return Results.NotFound();
                }
                var variant = call.GetProperty("variant").GetString()!;
                var body =
                    $"{{\"request_id\": \"{request.Id}\", \"gateway_request_id\": \"{request.Id}\", \"status\": \"OK\", \"error\": null, \"payload\": {JsonSerializer.Serialize(Output(request))}}}";
                return Results.Json(new { accepted = await webhooks.SendAsync(request, body, variant) });
            }
        );
    }

    private static async Task<IResult> SubmitAsync(
        string path,
        HttpContext context,
        FalState state,
        FalWebhooks webhooks,
        VideoMaker videos,
        PictureReader pictures,
        IConfiguration configuration
    )
    {
        if (Unauthorized(context))
        {
            return Results.Json(new { detail = "No user found for Key ID and Secret" }, statusCode: 401);
        }
        if (!FalSchemas.Has(path))
        {
            return Results.Json(new { detail = "Application not found" }, statusCode: 404);
        }
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var input = body.RootElement.Clone();
        var prompt =
            input.ValueKind == JsonValueKind.Object && input.TryGetProperty("prompt", out var text) && text.ValueKind == JsonValueKind.String
                ? text.GetString()!
                : "";
        var directives = Directives.Of(prompt);
        if (directives.Has("lost"))
        {
            context.Abort();
            return Results.Empty;
        }
        foreach (var (word, status) in new[] { ("429", 429), ("500", 500) })
        {
            // The webhook address differs at each attempt, so refusals are counted by what was asked.
            if (directives.Has(word) && state.Refusals.AddOrUpdate($"{word}|{prompt}", 1, (_, count) => count + 1) <= 2)
            {
                if (directives.Words[word] is { } wait)
                {
                    context.Response.Headers.RetryAfter = wait.ToString(System.Globalization.CultureInfo.InvariantCulture);
                }
                return Results.Json(new { detail = "Try again" }, statusCode: status);
            }
        }
        var seconds = directives.Seconds("slow", configuration.GetValue("Fal:Seconds", 2.0));
        var id = Guid.NewGuid().ToString();
        var request = new FalRequest
        {
            Id = id,
            FileUrl = directives.Has("elsewhere") ? VideoFiles.Elsewhere(id) : $"{Host(context)}/fal/files/{id}/video.mp4",
            ModelId = path,
            Input = input,
            Prompt = prompt,
            Directives = directives,
            SubmittedAt = DateTime.UtcNow,
            DoneAt = DateTime.UtcNow.AddSeconds(seconds),
            WebhookUrl = context.Request.Query["fal_webhook"].FirstOrDefault(),
            PictureFault = FindPictureFaultAsync(input, pictures),
        };
        state.Requests[request.Id] = request;
        _ = FinishAsync(request, Output(request), webhooks, videos);
        if (directives.Has("timeout"))
        {
            // The job exists and its webhook will come; only this answer never does.
            return await Silence.KeepAsync(context, configuration);
        }
        var start = Base(context, request);
        return Results.Json(
            new
            {
                status = "IN_QUEUE",
                request_id = request.Id,
                response_url = start,
                status_url = start + "/status",
                cancel_url = start + "/cancel",
                queue_position = 0,
            }
        );
    }

    private static async Task FinishAsync(FalRequest request, object output, FalWebhooks webhooks, VideoMaker videos)
    {
        var making = videos.MakeAsync(request.Prompt);
        var wait = request.DoneAt - DateTime.UtcNow;
        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait);
        }
        await making;
        await request.PictureFault;
        if (!request.IsCancelled)
        {
            var (status, failure) = Failure(request);
            await webhooks.DeliverAsync(
                request,
                failure ?? output,
                failure is null ? "OK" : "ERROR",
                failure is null ? null : $"Invalid status code: {status}"
            );
        }
    }

    private static async Task<IResult> ReadAsync(string path, HttpContext context, FalState state)
    {
        if (Unauthorized(context))
        {
            return Results.Json(new { detail = "No user found for Key ID and Secret" }, statusCode: 401);
        }
        if (HasModelPath(path))
        {
            // Measured at fal: the queue knows requests by owner and alias only and answers nothing to more.
            return Results.StatusCode(200);
        }
        var (request, rest) = Find(path, state);
        if (request is null)
        {
            return Results.Json(new { detail = "Request not found" }, statusCode: 404);
        }
        await request.PictureFault;
        if (rest == "status")
        {
            request.NoteStatusRead();
        }
        var (status, failure) = Failure(request);
        context.Response.Headers["x-fal-request-id"] = request.Id;
        if (rest is "status" or "" or "response" && request.Rude.Next(request.Directives, rest == "status" ? "status" : "result", new { seed = 1 }) is { } rude)
        {
            return rude;
        }
        if (rest == "status")
        {
            return Results.Json(Status(context, request), statusCode: request.State == "COMPLETED" ? 200 : 202);
        }
        if (rest == "status/stream")
        {
            return new StatusStream(request, () => Status(context, request));
        }
        if (rest is not ("" or "response"))
        {
            return Results.Json(new { detail = "Not found" }, statusCode: 404);
        }
        if (request.State != "COMPLETED")
        {
            return Results.Json(new { detail = "Request is still in progress" }, statusCode: 400);
        }
        if (failure is not null)
        {
            return Results.Json(failure, statusCode: status);
        }
        context.Response.Headers["x-fal-billable-units"] = BilledUnits(request).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Results.Json(request.Directives.Has("wrapped") ? new { status = "COMPLETED", response = Output(request) } : Output(request));
    }

    /// <summary>What fal bills: seconds of the video, unless the prompt says how many units (<c>[billed 40]</c>).</summary>
    private static double BilledUnits(FalRequest request) =>
        request.Directives.Seconds(
            "billed",
            request.Input.TryGetProperty("duration", out var duration)
            && double.TryParse(duration.ToString().TrimEnd('s'), System.Globalization.CultureInfo.InvariantCulture, out var seconds)
                ? seconds
                : 8
        );

    private static object Status(HttpContext context, FalRequest request)
    {
        var start = Base(context, request);
        return new
        {
            status = request.State,
            request_id = request.Id,
            response_url = start,
            status_url = start + "/status",
            cancel_url = start + "/cancel",
            queue_position = 0,
            logs = request.State == "IN_QUEUE"
                ? null
                : new[]
                {
                    new
                    {
                        message = "working",
                        level = "INFO",
                        source = "USER",
                        timestamp = request.SubmittedAt,
                    },
                },
            metrics = request.State == "COMPLETED" ? new { inference_time = 1.5 } : null,
            error = Failure(request).Body is null ? null : "the request failed",
            error_type = request.IsCancelled ? "client_cancelled" : null,
            a_field_nobody_knows = true,
        };
    }

    private static IResult CancelAsync(string path, HttpContext context, FalState state)
    {
        if (Unauthorized(context))
        {
            return Results.Json(new { detail = "No user found for Key ID and Secret" }, statusCode: 401);
        }
        if (HasModelPath(path))
        {
            return Results.StatusCode(405);
        }
        var (request, _) = Find(path, state);
        if (request is null)
        {
            return Results.Json(new { status = "NOT_FOUND" }, statusCode: 404);
        }
        if (request.State == "COMPLETED")
        {
            return Results.Json(new { status = "ALREADY_COMPLETED" }, statusCode: 400);
        }
        request.IsCancelled = true;
        return Results.Json(new { status = "CANCELLATION_REQUESTED" }, statusCode: 202);
    }

    private static (int Status, object? Body) Failure(FalRequest request) =>
        request.IsCancelled ? (499, new { detail = "Request was cancelled", error_type = "client_cancelled" })
        // As at fal, the schema is checked when the job starts: the submission was accepted all the same.
        : (FalSchemas.FindFault(request.ModelId, request.Input) ?? (request.PictureFault.IsCompleted ? request.PictureFault.Result : null)) is { } fault
            ? Refused(fault, request)
        : request.Directives.Has("reject")
            ? (
                422,
                new
                {
                    detail = new[]
                    {
                        new
                        {
                            loc = new[] { "body", "prompt" },
                            msg = "The content could not be processed",
                            type = "content_policy_violation",
                        },
                    },
                }
            )
        : request.Directives.Has("fail")
            ? (
                500,
                new
                {
                    detail = new[]
                    {
                        new
                        {
                            loc = new[] { "body" },
                            msg = "Internal server error",
                            type = "internal_server_error",
                        },
                    },
                }
            )
        : (200, null);

    private static (int Status, object? Body) Refused(SchemaFault fault, FalRequest request) => (422, FalSchemas.Refusal(fault, request.Input));

    /// <summary>Fetched when the job starts, as at fal: the submission is accepted whatever comes of it.</summary>
    private static Task<SchemaFault?> FindPictureFaultAsync(JsonElement input, PictureReader pictures)
    {
        var field =
            input.ValueKind != JsonValueKind.Object
                ? null
                : Array.Find(PictureFields, name => input.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String);
        return field is null ? Task.FromResult<SchemaFault?>(null) : pictures.FindFaultAsync(field, input.GetProperty(field).GetString());
    }

    private static object Output(FalRequest request) =>
        new
        {
            video = new
            {
                url = request.FileUrl,
                content_type = "video/mp4",
                file_name = "video.mp4",
            },
        };

    /// <summary>Whether a path to a request has more than owner and alias before it.</summary>
    private static bool HasModelPath(string path) =>
        Array.IndexOf(path.Split('/'), "requests") is var at and > 0 && at > (path.StartsWith("workflows/", StringComparison.Ordinal) ? 3 : 2);

    private static (FalRequest?, string) Find(string path, FalState state)
    {
        var parts = path.Split('/');
        var at = Array.IndexOf(parts, "requests");
        return at > 0 && at + 1 < parts.Length && state.Requests.TryGetValue(parts[at + 1], out var request)
            ? (request, string.Join('/', parts[(at + 2)..]))
            : (null, "");
    }

    private static string Base(HttpContext context, FalRequest request) =>
        $"{Host(context)}/fal/{string.Join('/', request.ModelId.Split('/').Take(2))}/requests/{request.Id}";

    private static string Host(HttpContext context) => $"{context.Request.Scheme}://{context.Request.Host}";

    private static bool Unauthorized(HttpContext context) =>
        context.Request.Headers.Authorization.ToString() is not { Length: > 6 } key
        || !key.StartsWith("Key ", StringComparison.Ordinal)
        || !key.Contains(':', StringComparison.Ordinal);
}

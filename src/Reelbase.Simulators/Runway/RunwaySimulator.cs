using System.Text.Json;

namespace Reelbase.Simulators.Runway;

/// <summary>Runway's developer API under <c>/runway/v1</c>: create, task, cancel, organization, files; and its control calls.</summary>
public static class RunwaySimulator
{
    private const string ApiVersion = "2024-11-06";

    public static void MapRunway(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/runway/v1").AddEndpointFilter(RequireAccountAsync);
        api.MapPost("/text_to_video", CreateAsync);
        api.MapPost("/image_to_video", CreateAsync);
        api.MapGet("/tasks/{id}", Read);
        api.MapDelete("/tasks/{id}", Delete);
        api.MapGet("/organization", (RunwayState state) => Results.Json(new { creditBalance = state.Credits, tier = new { maxMonthlyCreditSpend = 10_000 } }));
        routes.MapGet(
            "/runway/files/{id}/{issue}/video.mp4",
            (string id, HttpContext context, RunwayState state, VideoFiles files) =>
                state.Tasks.TryGetValue(id, out var task) && context.Request.Query.ContainsKey("_jwt")
                    ? files.SendAsync(context, task.Directives, task.Prompt, task.IsFirstRead())
                    : Task.FromResult(Results.NotFound())
        );
        routes.MapGet(
            "/_control/runway/tasks",
            (RunwayState state) =>
                Results.Json(
                    new
                    {
                        tasks = state.Created.Select(task => new
                        {
                            id = task.Id,
                            // The name that fal's control call has for the same thing.
                            request_id = task.Id,
                            model_id = task.Input.GetProperty("model").GetString(),
                            input = task.Input,
                            submitted_at = task.CreatedAt,
                            state = state.Tasks.ContainsKey(task.Id) ? task.Status : "DELETED",
                            shortest_poll_seconds = task.ShortestPollSeconds,
                        }),
                    }
                )
        );
        routes.MapPost(
            "/_control/runway/balance",
            (JsonElement call, RunwayState state) =>
            {
                state.Credits = call.GetProperty("credits").GetInt32();
                return Results.Json(new { success = true });
            }
        );
    }

    private static async ValueTask<object?> RequireAccountAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var request = call.HttpContext.Request;
        if (request.Headers["X-Runway-Version"] != ApiVersion)
        {
            return Fail(400, "This endpoint requires a valid X-Runway-Version header");
        }
        return request.Headers.Authorization.ToString() is { Length: > 7 } key && key.StartsWith("Bearer ", StringComparison.Ordinal)
            ? await next(call)
            : Fail(401, "The API key was not accepted");
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context,
        RunwayState state,
        VideoMaker videos,
        PictureReader pictures,
        IConfiguration configuration
    )
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var input = body.RootElement.Clone();
        var isImage = context.Request.Path.Value!.EndsWith("image_to_video", StringComparison.Ordinal);
        // Runway fetches the picture before it makes a task.
        if ((RunwaySchemas.FindFault(input, isImage) ?? (isImage ? await pictures.FindFaultAsync("promptImage", PictureOf(input)) : null)) is { } fault)
        {
            return Results.Json(
                new
                {
                    error = "Validation of body failed",
                    issues = new[]
                    {
                        new
                        {
                            code = RunwaySchemas.CodeOf(fault),
                            path = new[] { fault.Field },
                            message = fault.Message,
                        },
                    },
                    docUrl = "https://docs.dev.runwayml.com/api",
                },
                statusCode: 400
            );
        }
        var prompt = input.TryGetProperty("promptText", out var text) ? text.GetString() ?? "" : "";
        var directives = Directives.Of(prompt);
        if (directives.Has("lost"))
        {
            context.Abort();
            return Results.Empty;
        }
        foreach (var (word, status) in new[] { ("429", 429), ("500", 500) })
        {
            if (directives.Has(word) && state.Refusals.AddOrUpdate($"{word}|{prompt}", 1, (_, count) => count + 1) <= 2)
            {
                if (directives.Words[word] is { } wait)
                {
                    context.Response.Headers.RetryAfter = wait.ToString(System.Globalization.CultureInfo.InvariantCulture);
                }
                return Fail(status, "Try again");
            }
        }
        var credits = RunwaySchemas.Credits(input);
        if (state.Credits < credits)
        {
            return Fail(400, "You do not have enough credits to run this task.");
        }
        state.Credits -= credits;
        var task = new RunwayTask
        {
            Id = Guid.NewGuid().ToString(),
            Path = context.Request.Path,
            Input = input,
            Prompt = prompt,
            Directives = directives,
            CreatedAt = DateTime.UtcNow,
            DoneAt = DateTime.UtcNow.AddSeconds(directives.Seconds("slow", configuration.GetValue("Fal:Seconds", 2.0))),
            Credits = credits,
        };
        state.Tasks[task.Id] = task;
        state.Created.Enqueue(task);
        _ = videos.MakeAsync(prompt);
        if (directives.Has("timeout"))
        {
            return await Silence.KeepAsync(context, configuration);
        }
        return Results.Json(new { id = task.Id, estimatedCost = new { credits } });
    }

    private static IResult Read(string id, HttpContext context, RunwayState state)
    {
        if (!state.Tasks.TryGetValue(id, out var task))
        {
            return Fail(404, "Not found");
        }
        task.Polls.Enqueue(DateTime.UtcNow);
        var created = task.CreatedAt.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
        var estimatedCost = new { credits = task.Credits };
        var empty = new
        {
            id,
            createdAt = created,
            status = "SUCCEEDED",
            output = Array.Empty<string>(),
        };
        if (
            (task.Rude.Next(task.Directives, "status", empty) ?? (task.Status == "SUCCEEDED" ? task.Rude.Next(task.Directives, "result", empty) : null)) is
            { } rude
        )
        {
            return rude;
        }
        return task.Status switch
        {
            "SUCCEEDED" => Results.Json(
                new
                {
                    id,
                    createdAt = created,
                    status = "SUCCEEDED",
                    // Another address at each read, as Runway signs them anew.
                    output = new[]
                    {
                        task.Directives.Has("elsewhere")
                            ? VideoFiles.Elsewhere(id)
                            : $"{Host(context)}/runway/files/{id}/{Guid.NewGuid():N}/video.mp4?_jwt={Guid.NewGuid():N}",
                    },
                    cost = new { credits = task.Credits },
                }
            ),
            "FAILED" => Results.Json(
                new
                {
                    id,
                    createdAt = created,
                    status = "FAILED",
                    failure = "The task failed",
                    failureCode = task.Directives.Has("reject") ? "SAFETY.INPUT.TEXT" : "INTERNAL.BAD_OUTPUT.CODE01",
                    cost = new { credits = 0 },
                }
            ),
            "RUNNING" => Results.Json(
                new
                {
                    id,
                    createdAt = created,
                    status = "RUNNING",
                    progress = Math.Round((DateTime.UtcNow - task.CreatedAt) / (task.DoneAt - task.CreatedAt), 2),
                    estimatedCost,
                }
            ),
            var status => Results.Json(
                new
                {
                    id,
                    createdAt = created,
                    status,
                    estimatedCost,
                }
            ),
        };
    }

    private static IResult Delete(string id, RunwayState state)
    {
        if (state.Tasks.TryGetValue(id, out var task) && task.Directives.Has("canceled"))
        {
            task.IsCancelled = true;
            return Results.NoContent();
        }
        return state.Tasks.TryRemove(id, out _) ? Results.NoContent() : Fail(404, "Not found");
    }

    private static string? PictureOf(JsonElement input)
    {
        var image = input.GetProperty("promptImage");
        return image.ValueKind == JsonValueKind.String ? image.GetString()
            : image.ValueKind == JsonValueKind.Array && image.GetArrayLength() > 0 && image[0].TryGetProperty("uri", out var uri) ? uri.GetString()
            : "";
    }

    private static IResult Fail(int status, string error) => Results.Json(new { error }, statusCode: status);

    private static string Host(HttpContext context) => $"{context.Request.Scheme}://{context.Request.Host}";
}

using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Integrations;
using Reelbase.Simulators;

namespace Reelbase.Tests.Conformance.Providers.Toy;

/// <summary>The toy vendor itself, as rude as its prompts ask, under <c>/toy</c>.</summary>
public sealed class ToyService(double seconds)
{
    /// <summary>What events are signed with.</summary>
    public const string Secret = "whsec_dG95LXNlY3JldC1vZi10aGlydHktdHdvLWJ5dGVzISE=";

    private readonly ConcurrentDictionary<string, int> _refusals = new();
    private static readonly HttpClient Http = new() { Timeout = Support.Patience.Span };

    /// <summary>Every job.</summary>
    public ConcurrentDictionary<string, ToyJob> Jobs { get; } = new();

    /// <summary>A job there.</summary>
    public sealed record ToyJob(string Id, string Text, DateTime DoneAt)
    {
        public bool IsStopped { get; set; }

        public int Reads { get; set; }

        public int StatusReads { get; set; }

        public RudeReads Rude { get; } = new();
    }

    public void Map(WebApplication app)
    {
        var group = app.MapGroup("/toy");
        group.MapGet("/jobs", () => Results.Json(new { count = Jobs.Count }));
        group.MapPost("/jobs", (Delegate)CreateAsync);
        group.MapGet(
            "/jobs/{id}",
            (string id, HttpContext context) => Jobs.TryGetValue(id, out var job) ? Rude(job) ?? Read(job, context.Request) : Results.NotFound()
        );
        group.MapDelete(
            "/jobs/{id}",
            (string id) =>
            {
                if (!Jobs.TryGetValue(id, out var job) || job.DoneAt <= DateTime.UtcNow)
                {
                    return Results.Conflict();
                }
                job.IsStopped = true;
                return Results.Accepted();
            }
        );
        group.MapGet(
            "/videos/{id}",
            (string id, HttpContext context) =>
                app.Services.GetRequiredService<VideoFiles>().SendAsync(context, Directives.Of(Jobs[id].Text), Jobs[id].Text, Jobs[id].Reads++ == 0)
        );
    }

    /// <summary>A signed event, ready to be sent.</summary>
    public static HttpRequestMessage Sign(string address, string id, string body, string secret = Secret, long? unixSeconds = null)
    {
        var time = (unixSeconds ?? DateTimeOffset.UtcNow.ToUnixTimeSeconds()).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var message = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        message.Headers.Add("webhook-id", id);
        message.Headers.Add("webhook-timestamp", time);
        message.Headers.Add("webhook-signature", "v1," + StandardWebhooks.Sign(secret, Encoding.UTF8.GetBytes($"{id}.{time}.{body}")));
        return message;
    }

    private static IResult? Rude(ToyJob job)
    {
        var directives = Directives.Of(job.Text);
        var empty = new { job = job.Id, state = "done" };
        return job.Rude.Next(directives, "status", empty) ?? (job.DoneAt <= DateTime.UtcNow ? job.Rude.Next(directives, "result", empty) : null);
    }

    private async Task<IResult> CreateAsync(HttpContext context)
    {
        var input = await context.Request.ReadFromJsonAsync<JsonElement>();
        var text = input.GetProperty("text").GetString()!;
        var directives = Directives.Of(text);
        if (directives.Has("lost"))
        {
            context.Abort();
            return Results.Empty;
        }
        foreach (var (word, status) in new[] { ("429", 429), ("500", 500) })
        {
            if (directives.Has(word) && _refusals.AddOrUpdate(word + text, 1, (_, count) => count + 1) <= 2)
            {
                if (directives.Words[word] is { } wait)
                {
                    context.Response.Headers.RetryAfter = wait.ToString(System.Globalization.CultureInfo.InvariantCulture);
                }
                return Results.StatusCode(status);
            }
        }
        var job = new ToyJob(Guid.NewGuid().ToString("N"), text, DateTime.UtcNow.AddSeconds(directives.Seconds("slow", seconds)));
        Jobs[job.Id] = job;
        var request = context.Request;
        if (input.Text("callback") is { } callback && !directives.Has("no-webhook"))
        {
            var host = request.Host;
            _ = Task.Run(async () =>
            {
                var wait = job.DoneAt - DateTime.UtcNow;
                await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
                if (!job.IsStopped)
                {
                    using var message = Sign(callback, "event-" + job.Id, JsonSerializer.Serialize(State(job, "http", host)));
                    (await Http.SendAsync(message)).Dispose();
                }
            });
        }
        if (directives.Has("timeout"))
        {
            return await Silence.KeepAsync(context, context.RequestServices.GetRequiredService<Microsoft.Extensions.Configuration.IConfiguration>());
        }
        return Results.Json(new { job = job.Id }, statusCode: 201);
    }

    private static IResult Read(ToyJob job, HttpRequest request)
    {
        job.StatusReads++;
        return Results.Json(State(job, request));
    }

    private static object State(ToyJob job, HttpRequest request) => State(job, request.Scheme, request.Host);

    private static object State(ToyJob job, string scheme, HostString host)
    {
        var directives = Directives.Of(job.Text);
        var (state, reason) =
            job.IsStopped ? ("failed", "stopped")
            : job.DoneAt > DateTime.UtcNow || (directives.Has("steps") && job.StatusReads <= 1) ? ("waiting", null)
            : directives.Has("reject") ? ("failed", "content")
            : directives.Has("fail") ? ("failed", "broken")
            : ("done", null);
        return new
        {
            job = job.Id,
            state,
            reason,
            video = state != "done" ? null
            : directives.Has("elsewhere") ? VideoFiles.Elsewhere(job.Id)
            : $"{scheme}://{host}/toy/videos/{job.Id}",
        };
    }
}

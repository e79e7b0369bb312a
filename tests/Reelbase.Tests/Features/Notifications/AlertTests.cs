using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Reelbase.Server.Integrations;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>The operator hears what matters, bundled, until it was heard, and without a word about who anybody is.</summary>
public sealed class AlertTests(AlertTests.Installation system) : IClassFixture<AlertTests.Installation>
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    public sealed class Installation : TestSystem
    {
        public ConcurrentQueue<(string Body, string? Id)> Hooks { get; } = new();

        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Alerts:WebhookUrl"] = SimulatorsUrl + "/operator",
                ["Alerts:WebhookSecret"] = Secret,
                ["Alerts:ActivitySeconds"] = "3600",
                ["Alerts:ManyUnauthorized"] = "5",
                ["Alerts:ManyLimited"] = "5",
            };

        protected override void MapMore(WebApplication simulators) =>
            simulators.MapPost(
                "/operator",
                async (HttpContext context) =>
                {
                    using var reader = new StreamReader(context.Request.Body);
                    var body = await reader.ReadToEndAsync();
                    Hooks.Enqueue((body, StandardWebhooks.Verify(context.Request.Headers, Encoding.UTF8.GetBytes(body), [Secret], DateTimeOffset.UtcNow)));
                    return Results.Ok();
                }
            );
    }

    [Fact]
    public async Task An_alert_is_sent_once_to_both_channels_and_the_webhook_is_signed()
    {
        var mark = Guid.NewGuid().ToString();
        await system.ExecuteAsync(
            $"select raise_alert('test_alert', '{mark}', 'Something about {mark}'); select raise_alert('test_alert', '{mark}', 'Something about {mark}')"
        );
        await SentAsync(mark);
        Assert.Equal(1, Count(await TelegramAsync(), mark));
        var hook = Assert.Single(system.Hooks, one => one.Body.Contains(mark, StringComparison.Ordinal));
        Assert.NotNull(hook.Id);
    }

    [Fact]
    public async Task A_flood_becomes_a_few_messages()
    {
        var mark = Guid.NewGuid().ToString();
        await system.ExecuteAsync($"select raise_alert('flood', '{mark}:' || n, 'Flood {mark} ' || n % 3) from generate_series(1, 100) n");
        await SentAsync(mark);
        var messages = System
            .Text.Json.JsonDocument.Parse(await TelegramAsync())
            .RootElement.GetProperty("messages")
            .EnumerateArray()
            .Where(message => message.GetProperty("text").GetString()!.Contains(mark, StringComparison.Ordinal))
            .ToList();
        Assert.InRange(messages.Count, 5, 6);
    }

    [Fact]
    public async Task A_channel_that_is_busy_or_away_is_notified_later()
    {
        var mark = Guid.NewGuid().ToString();
        await using var refusals = await system.TelegramRefusalsAsync();
        await system.ExecuteAsync($"select raise_alert('test_alert', '{mark}', 'Busy {mark}')");
        await Eventually.IsAsync(
            () => system.QueryAsync<int>($"select coalesce(max(attempt), 0) from alerts where dedupe_key = '{mark}' and last_error is not null"),
            attempt => attempt > 0
        );
        await refusals.EndAsync();
        await system.ExecuteAsync($"update alerts set run_after = now() where dedupe_key = '{mark}'");
        await SentAsync(mark);
        Assert.Equal(1, Count(await TelegramAsync(), mark));
    }

    [Fact]
    public async Task What_happened_is_reported_in_numbers_and_many_refusals_are_an_alert()
    {
        var phone = await system.NewGuestAsync();
        await phone.GenerateAndWatchAsync("Nobody's business but theirs");
        using var http = system.Anybody();
        for (var count = 0; count < 8; count++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/get-user-credits")).StatusCode);
        }
        await system.ExecuteAsync(
            $"select log_errors(jsonb_agg(jsonb_build_object('user_id', '{phone.UserId}', 'error_code', 'ERR_4004', 'endpoint', '/generate-video', 'trace_id', 'x'))) from generate_series(1, 8)"
        );
        // The hour ends when all of it is there: of a shorter one a part might be sent, and what is committed meanwhile never.
        await Eventually.IsAsync(
            () => system.QueryAsync<long>("select coalesce(sum(occurrences), 0)::bigint from error_log where error_code in ('ERR_4005', 'ERR_4006')"),
            refused => refused >= 5
        );
        await system.ExecuteAsync(
            "insert into schedules (name, last_finished_at) values ('activity', now() - interval '1 hour') on conflict (name) do update set last_finished_at = excluded.last_finished_at"
        );
        var text = await Eventually.IsAsync(
            TelegramAsync,
            all =>
                all.Contains("videos completed", StringComparison.Ordinal)
                && all.Contains("[unauthorized_attempts]", StringComparison.Ordinal)
                && all.Contains("[rate_limit_violations]", StringComparison.Ordinal)
        );
        Assert.Contains("by 1 known users, at /generate-video", text, StringComparison.Ordinal);
        Assert.Contains("new users", text, StringComparison.Ordinal);
        foreach (var secret in new[] { phone.DeviceId, phone.AccessToken, "Nobody's business", "127.0.0.1" })
        {
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_reported_video_reaches_the_operator_and_support()
    {
        var phone = await system.NewGuestAsync();
        var other = await system.NewGuestAsync();
        var job = (await phone.GenerateAsync("Reported"))["job_id"].GetString();
        Assert.Equal("ERR_4007", (await other.PostAsync("/report-content", new { job_id = job, reason = "not mine" })).Code);
        Assert.Equal("ERR_4000", (await phone.PostAsync("/report-content", new { job_id = job, reason = "  " })).Code);
        Assert.Equal("ERR_4000", (await phone.PostAsync("/report-content", new { job_id = job, reason = new string('a', 1001) })).Code);
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/report-content", new { job_id = job, reason = "It offends." })).Status);
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/report-content", new { job_id = job, reason = "It offends a lot." })).Status);
        Assert.Equal(
            $"{job}|It offends a lot.|open",
            (await system.RowsAsync($"select job_id, reason, status from list_content_reports('open', 10) where job_id = '{job}'"))[0]
        );
        await Eventually.IsAsync(TelegramAsync, all => all.Contains($"[content_reported] Job {job}", StringComparison.Ordinal));
    }

    private Task<string> TelegramAsync() => system.Control.GetStringAsync("/_control/telegram/messages");

    private async Task SentAsync(string mark) =>
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from alerts where message like '%{mark}%' and status <> 'sent'"),
            left => left == 0
        );

    private static int Count(string text, string mark) => text.Split(mark).Length - 1;
}

using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Simulators.Fal;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Providers that go down, refuse our account, cost too much, or end a model: who waits, who is notified, and how it goes on.</summary>
public sealed class ProviderFaultTests : IAsyncLifetime
{
    private readonly Nervous _system = new();

    /// <summary>A breaker that opens at once, outages that hide models after a second.</summary>
    private sealed class Nervous : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Fal:BreakerMinCalls"] = "2",
                ["Fal:BreakerPauseSeconds"] = "0.5",
                ["Fal:OutageSeconds"] = "1",
                ["Catalog:SunsetLookSeconds"] = "1",
            };
    }

    public ValueTask InitializeAsync() => _system.InitializeAsync();

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task While_a_provider_is_down_jobs_wait_its_models_hide_and_all_comes_back_by_itself()
    {
        await UtcTime.SameHourAsync();
        var phone = await _system.NewGuestAsync(200);
        // All have pressed before the first attempt fails: a second later the models are hidden.
        await using var held = await _system.HoldProviderAsync("fal");
        var jobs = new List<string>();
        for (var number = 0; number < 5; number++)
        {
            jobs.Add((await phone.GenerateAsync("In a dark hour"))["job_id"].GetString()!);
        }
        await using var outage = await _system.OutageAsync("fal", "down");
        await held.EndAsync();
        await Eventually.IsAsync(ModelProvidersAsync, providers => !providers.Contains("fal") && providers.Contains("runway"));
        Assert.Equal(["provider_outage|1"], await AlertsAsync());
        Assert.Equal(HttpStatusCode.NotFound, (await phone.GenerateAsync("Not offered now")).Status);
        foreach (var job in jobs)
        {
            // It is processing for as long as an attempt to submit it takes, and waits again.
            await Eventually.IsAsync(
                async () => (await phone.GetAsync($"/get-video-status?job_id={job}"))["status"].GetString(),
                status => status == "pending"
            );
        }
        await outage.EndAsync();
        foreach (var job in jobs)
        {
            Assert.Equal("completed", (await phone.WatchAsync(job))[^1].GetProperty("status").GetString());
        }
        await Eventually.IsAsync(ModelProvidersAsync, providers => providers.Contains("fal"));
        Assert.Equal(200 - (5 * 8), await phone.CreditsAsync());
        await _system.AssertLedgerAsync();
    }

    [Theory]
    [InlineData("unauthorized")]
    [InlineData("balance")]
    public async Task An_account_that_is_refused_blames_nobody_and_alerts_once(string kind)
    {
        await UtcTime.SameHourAsync();
        var phone = await _system.NewGuestAsync(100);
        await using var outage = await _system.OutageAsync("fal", kind);
        var job = (await phone.GenerateAsync("Not my fault"))["job_id"].GetString()!;
        await phone.GenerateAsync("Nor mine");
        await Eventually.IsAsync(AlertsAsync, alerts => alerts.Contains("provider_account|1"));
        // More refusals are no news.
        await Eventually.IsAsync(() => _system.QueryAsync<long>($"select count(*) from job_submissions where job_id = '{job}'"), attempts => attempts >= 3);
        Assert.Equal(["provider_account|1"], await AlertsAsync());
        // Between two attempts it waits; while one is made it is being handed over. It never ends.
        await Eventually.IsAsync(async () => (await phone.GetAsync($"/get-video-status?job_id={job}"))["status"].GetString(), status => status == "pending");
        await outage.EndAsync();
        Assert.Equal("completed", (await phone.WatchAsync(job))[^1].GetProperty("status").GetString());
    }

    [Fact]
    public async Task Only_the_deadline_ends_a_job_that_waits_for_a_provider()
    {
        await _system.RestartServerAsync(new() { ["Generation:QueueDeadlineSeconds"] = "2" });
        var phone = await _system.NewGuestAsync();
        await using var outage = await _system.OutageAsync("fal", "unauthorized");
        var last = await phone.GenerateAndWatchAsync("Never served");
        Assert.Equal("ERR_5002", last.GetProperty("error_code").GetString());
        Assert.Equal(10, await phone.CreditsAsync());
        await _system.AssertLedgerAsync();
    }

    [Fact]
    public async Task The_daily_budget_stops_guests_first_then_everybody_and_alerts_the_operator()
    {
        await UtcTime.SameDayAsync();
        // One default video of this model is expected to cost this much.
        var cost = await _system.QueryAsync<long>(
            $"select internal.estimate_provider_cost(id, '{{\"duration\":8}}') from models where id = '{Catalog.FastModel}'"
        );
        Assert.True(cost > 0);
        await _system.RestartServerAsync(
            new() { ["Fal:DailyBudget"] = (cost * 3.5 / 1e6).ToString(System.Globalization.CultureInfo.InvariantCulture), ["Fal:GuestBudgetShare"] = "0.5" }
        );
        var (guest, member) = (await _system.NewGuestAsync(100), await _system.NewGuestAsync(100));
        await _system.ExecuteAsync($"update users set is_guest = false where id = '{member.UserId}'");
        // Half of the budget is 1.75 videos: two guests' videos begin, the third waits.
        for (var number = 0; number < 2; number++)
        {
            Assert.Equal("completed", (await guest.GenerateAndWatchAsync($"Guest {number}")).GetProperty("status").GetString());
        }
        var waiting = (await guest.GenerateAsync("Guest 3"))["job_id"].GetString()!;
        // Members go on: after the third and the fourth the whole budget is used.
        for (var number = 0; number < 2; number++)
        {
            Assert.Equal("completed", (await member.GenerateAndWatchAsync($"Member {number}")).GetProperty("status").GetString());
        }
        var late = (await member.GenerateAsync("Member 3"))["job_id"].GetString()!;
        await Eventually.IsAsync(AlertsAsync, alerts => alerts.Contains("provider_budget|1"));
        foreach (var (phone, job) in new[] { (guest, waiting), (member, late) })
        {
            Assert.Equal("pending", (await phone.GetAsync($"/get-video-status?job_id={job}"))["status"].GetString());
        }
        // A new day.
        await _system.ExecuteAsync("update provider_spend set day = day - 1");
        Assert.Equal("completed", (await guest.WatchAsync(waiting))[^1].GetProperty("status").GetString());
        Assert.Equal("completed", (await member.WatchAsync(late))[^1].GetProperty("status").GetString());
        await _system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_model_ends_on_its_day_its_replacement_takes_over_and_the_operator_knew()
    {
        const string replacement = "a0000000-0000-4000-8000-000000000003";
        await _system.ExecuteAsync(
            $"update models set is_active = false where is_active; update models set is_active = true, sunset_at = now() + interval '3 days', replacement_model_id = '{replacement}' where id = '{Catalog.FastModel}'"
        );
        await Eventually.IsAsync(AlertsAsync, alerts => alerts.Contains("model_sunset|1"));
        var phone = await _system.NewGuestAsync(100);
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/generate-video", new { theme_id = Catalog.BoatTheme }, Guid.NewGuid())).Status);
        await _system.ExecuteAsync($"update models set sunset_at = now() where id = '{Catalog.FastModel}'");
        await Eventually.IsAsync(() => _system.RowsAsync("select id from models where is_active"), active => active is [replacement]);
        Assert.Equal(HttpStatusCode.NotFound, (await phone.GenerateAsync("Too late")).Status);
        var accepted = await phone.PostAsync("/generate-video", new { theme_id = Catalog.BoatTheme }, Guid.NewGuid());
        Assert.Equal("Veo 3.1 Lite", (await phone.GetAsync($"/get-video-status?job_id={accepted["job_id"].GetString()}"))["model_name"].GetString());
    }

    [Theory]
    [InlineData("[slow 600]")]
    [InlineData("[slow 600] [no-webhook]")]
    public async Task A_video_that_comes_after_the_refund_is_recorded_as_a_cost_and_not_given_to_the_user(string prompt)
    {
        await _system.RestartServerAsync(new() { ["Fal:BreakerMinCalls"] = "1000" });
        var phone = await _system.NewGuestAsync();
        var accepted = await phone.GenerateAsync(prompt);
        var job = accepted["job_id"].GetString()!;
        await Eventually.IsAsync(() => _system.QueryAsync<string>($"select stage from video_jobs where job_id = '{job}'"), stage => stage == "submitted");
        // At the deadline nobody can be asked, nor asked to stop.
        await using var outage = await _system.OutageAsync("fal/fal-ai", "down");
        await _system.PassDeadlineAsync(job);
        var last = (await phone.WatchAsync(job))[^1];
        Assert.Equal("ERR_5001", last.GetProperty("error_code").GetString());
        Assert.Equal(10, await phone.CreditsAsync());
        var request = _system.Simulators.Services.GetRequiredService<FalState>().Requests.Values.Single(request => request.Prompt == prompt);
        request.Finish();
        await outage.EndAsync();
        if (prompt.Contains("no-webhook", StringComparison.Ordinal))
        {
            await _system.ExecuteAsync("update job_submissions set settle_after = now() where settle_after is not null");
            await _system.Server.Services.GetRequiredService<SubmissionSettler>().SettleAsync(CancellationToken.None);
        }
        else
        {
            await _system.Control.PostAsJsonAsync("/_control/webhooks/fal", new { request_id = request.Id, variant = "true" });
        }
        await Eventually.IsAsync(
            () =>
                _system.RowsAsync(
                    $"select s.outcome, j.provider_cost_micros = s.expected_cost_micros from job_submissions s join video_jobs j using (job_id) where job_id = '{job}'"
                ),
            rows => rows is ["late_success|True"]
        );
        var status = await phone.GetAsync($"/get-video-status?job_id={job}");
        Assert.Equal(("failed", JsonValueKind.Null), (status["status"].GetString(), status["video_url"].ValueKind));
        Assert.Equal(10, await phone.CreditsAsync());
        await _system.AssertLedgerAsync();
    }

    private async Task<HashSet<string>> ModelProvidersAsync()
    {
        using var http = _system.Anybody();
        var answer = await http.GetFromJsonAsync<JsonElement>("/get-models");
        return answer.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("provider").GetString()!).ToHashSet();
    }

    private Task<List<string>> AlertsAsync() => _system.RowsAsync("select kind, count(*) from alerts group by kind order by kind");
}

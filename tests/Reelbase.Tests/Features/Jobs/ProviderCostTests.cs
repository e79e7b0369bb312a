using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What providers bill is kept with the job and beside what it brought; the user's charge was fixed when the job was accepted.</summary>
public sealed class ProviderCostTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    [Theory]
    // By webhook, which does not say it: asked for afterwards. By polling: at once.
    [InlineData("A kite", """{"duration":6}""", "6|600000|600000|False")]
    [InlineData("A kite [no-webhook]", """{"duration":6,"resolution":"1080p"}""", "6|1200000|1200000|False")]
    // More than it brings.
    [InlineData("A kite [billed 7.3]", """{"duration":6}""", "7.3|730000|730000|True")]
    public async Task What_fal_bills_in_units_is_kept_and_reckoned_with_the_models_price(string prompt, string settings, string expected)
    {
        await UtcTime.SameDayAsync();
        var model = await NewModelAsync("fal", "alibaba/wan-3.0/text-to-video", "0.10", 1);
        var phone = await system.NewGuestAsync(100);
        var accepted = await phone.PostTextAsync(
            "/generate-video",
            $$"""{"model_id":"{{model}}","prompt":"{{prompt}}","settings":{{settings}} }""",
            Guid.NewGuid().ToString()
        );
        Assert.True(accepted.Status == System.Net.HttpStatusCode.OK, accepted.Text);
        var job = accepted["job_id"].GetString()!;
        Assert.Equal("completed", (await phone.WatchAsync(job))[^1].GetProperty("status").GetString());
        var bill = await Eventually.IsAsync(() => BillAsync(job, model), rows => !rows.StartsWith('|'));
        Assert.Equal(expected, bill);
        Assert.Equal(100 - accepted["credits_used"].GetInt32(), await phone.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task What_runway_bills_in_credits_is_kept_and_shown_as_a_margin()
    {
        var model = await NewModelAsync("runway", "gen4.5", "0.05", 2);
        var phone = await system.NewGuestAsync(100);
        var accepted = await phone.PostAsync("/generate-video", new { model_id = model, prompt = "A kite" }, Guid.NewGuid());
        var job = accepted["job_id"].GetString()!;
        await phone.WatchAsync(job);
        // Five seconds at 12 credits, a cent each, where the row says 5 cents a second; ten of our credits bring 1.20 dollars.
        Assert.Equal("60|600000|600000|False", await Eventually.IsAsync(() => BillAsync(job, model), rows => !rows.StartsWith('|')));
        var margins = await system.GetAsync("/admin-model-margins?days=2");
        Assert.Equal(120_000, margins["credit_micros"].GetInt64());
        var row = margins["rows"].EnumerateArray().Single(row => row.GetProperty("model_name").GetString() == $"Billed {model}");
        Assert.Equal(
            (1L, 10L, 600_000L, 250_000L, 1_200_000L, 600_000L, "50.0"),
            (
                row.GetProperty("jobs").GetInt64(),
                row.GetProperty("credits").GetInt64(),
                row.GetProperty("billed_micros").GetInt64(),
                row.GetProperty("expected_micros").GetInt64(),
                row.GetProperty("brought_micros").GetInt64(),
                row.GetProperty("margin_micros").GetInt64(),
                row.GetProperty("margin_percent").GetString()
            )
        );
    }

    [Fact]
    public async Task A_bill_counts_once_and_one_whose_units_have_no_price_is_kept_as_units()
    {
        await UtcTime.SameDayAsync();
        var model = await NewModelAsync("fal", "alibaba/wan-3.0/text-to-video", "0.10", 1);
        var phone = await system.NewGuestAsync(100);
        var accepted = await phone.PostAsync("/generate-video", new { model_id = model, prompt = "A kite [no-webhook]" }, Guid.NewGuid());
        var job = accepted["job_id"].GetString()!;
        await phone.WatchAsync(job);
        await Eventually.IsAsync(() => BillAsync(job, model), rows => !rows.StartsWith('|'));
        var submission = await system.QueryAsync<long>($"select id from job_submissions where job_id = '{job}'");
        Assert.False(await system.QueryAsync<bool>($"select record_provider_bill({submission}, 9, null, 120000)"));
        Assert.Equal(
            "1|5|500000",
            (await system.RowsAsync($"select billed, credits, billed_micros from model_margins where model_name = 'Billed {model}'")).Single()
        );
        await system.ExecuteAsync(
            $"update job_submissions set billed_micros = null where id = {submission}; update models set provider_cost = null where id = '{model}'"
        );
        Assert.False(await system.QueryAsync<bool>($"select record_provider_bill({submission}, 9, null, 120000)"));
        Assert.Equal(
            "9||",
            (await system.RowsAsync($"select trim_scale(billed_units), billed_micros, bill_after from job_submissions where id = {submission}")).Single()
        );
        await system.ExecuteAsync($"update models set provider_unit_cost = 0.02 where id = '{model}'");
        Assert.True(await system.QueryAsync<bool>($"select record_provider_bill({submission}, 9, null, 120000)"));
        Assert.Equal(180_000, await system.QueryAsync<long>($"select billed_micros from job_submissions where id = {submission}"));
    }

    private async Task<string> BillAsync(string job, Guid model) =>
        (
            await system.RowsAsync(
                $"""
                select trim_scale(s.billed_units), s.billed_micros, j.provider_cost_micros,
                  exists (select from alerts where kind = 'cost_above_price' and dedupe_key like '{model}:%')
                from job_submissions s join video_jobs j using (job_id) where s.job_id = '{job}'
                """
            )
        ).Single();

    /// <summary>A row of its own, so that nobody else's jobs are in its figures.</summary>
    private async Task<Guid> NewModelAsync(string provider, string endpoint, string cost, int creditsPerSecond)
    {
        var id = Guid.NewGuid();
        await system.ExecuteAsync(
            $"""
            insert into models (id, name, category, cost_per_generation, provider, provider_model_id, pricing_type, credits_per_second, required_fields, provider_input, provider_cost)
            select '{id}', 'Billed {id}', category, cost_per_generation, provider, provider_model_id, pricing_type, {creditsPerSecond}, required_fields, provider_input, {cost}
            from models where provider = '{provider}' and provider_model_id = '{endpoint}' and category = 'text_to_video' order by created_at limit 1
            """
        );
        return id;
    }
}

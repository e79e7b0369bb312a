using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Integrations;
using Reelbase.Simulators;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance.Providers;

/// <summary>What every adapter must do, driven by the directives that every pretend vendor knows. A new adapter derives from this class.</summary>
public abstract class ProviderConformance(ConformanceSystem system) : IClassFixture<ConformanceSystem>
{
    /// <summary>The name in <c>models.provider</c>.</summary>
    protected abstract string Provider { get; }

    /// <summary>A row in <c>models</c> that needs no image.</summary>
    protected abstract string ModelId { get; }

    /// <summary>The vendor's name of that model.</summary>
    protected abstract string ProviderModelId { get; }

    /// <summary>Settings of a generation as the vendor's model takes them.</summary>
    protected abstract string GenerationSettings { get; }

    /// <summary>How the model's row writes its requests; by default in the adapter's plain way.</summary>
    protected virtual string ModelMap => "{}";

    /// <summary>The configuration key of the vendor's address.</summary>
    protected abstract string AddressKey { get; }

    protected ConformanceSystem System => system;

    protected IVideoProvider Adapter => system.Server.Services.GetRequiredService<VideoProviders>().Find(Provider)!;

    [Fact]
    public async Task A_job_is_taken_runs_and_ends_with_an_address_of_its_video()
    {
        var job = await AcceptedAsync("A kite over dunes [steps]");
        Assert.IsType<PollOutcome.Running>(await Adapter.PollAsync(job, CancellationToken.None));
        var done = Assert.IsType<PollOutcome.Succeeded>(await EndAsync(job));
        using var http = new HttpClient();
        Assert.Equal("ftyp"u8.ToArray(), (await http.GetByteArrayAsync(done.VideoUrl))[4..8]);
    }

    [Fact]
    public async Task Every_setting_of_every_seeded_model_is_understood_by_the_vendor()
    {
        var rows = await system.RowsAsync(
            $"select id, provider_model_id, provider_input, required_fields from models where provider = '{Provider}' and is_available"
        );
        Assert.NotEmpty(rows);
        foreach (var row in rows.Select(row => row.Split('|', 3)))
        {
            // A combination's value has bars in it, so the rest is parted where the second document begins.
            var at = row[2].LastIndexOf("|{", StringComparison.Ordinal);
            using var map = JsonDocument.Parse(row[2][..at]);
            using var fields = JsonDocument.Parse(row[2][(at + 1)..]);
            foreach (var settings in Combinations(fields.RootElement.GetProperty("settings")))
            {
                var resolved = await system.QueryAsync<string>(
                    $"select internal.resolve_settings(required_fields, '{{}}', '{JsonSerializer.Serialize(settings)}')::text from models where id = '{row[0]}'"
                );
                var image = fields.RootElement.GetProperty("requires_image").GetBoolean() ? "https://pictures.example/first.jpg" : null;
                using var document = JsonDocument.Parse(resolved);
                var input = new GenerationInput(row[1], "A lighthouse in a storm [slow 0]", document.RootElement, image, map.RootElement);
                var taken = await Adapter.SubmitAsync(input, null, CancellationToken.None);
                Assert.True(taken is SubmitOutcome.Accepted, $"{row[1]} {resolved}: {taken}");
                var end = await EndAsync(Reference((SubmitOutcome.Accepted)taken, row[1]));
                Assert.True(end is PollOutcome.Succeeded, $"{row[1]} {resolved}: {end}");
            }
        }
    }

    [Fact]
    public async Task Forbidden_content_is_distinguished_from_a_failure()
    {
        Assert.Equal(FailureKind.ContentRejected, Assert.IsType<PollOutcome.Failed>(await EndAsync(await AcceptedAsync("A thing [reject]"))).Kind);
        Assert.Equal(FailureKind.Unavailable, Assert.IsType<PollOutcome.Failed>(await EndAsync(await AcceptedAsync("A thing [fail]"))).Kind);
    }

    [Theory]
    [InlineData("[429 3] busy", 3.0)]
    [InlineData("[429] busy", null)]
    [InlineData("[500] broken", null)]
    public async Task A_complete_refusal_means_that_the_job_may_be_handed_over_again(string prompt, double? retryAfterSeconds)
    {
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var refused = Assert.IsType<SubmitOutcome.NotAccepted>(await SubmitAsync(prompt));
            Assert.False(refused.IsOurFault);
            Assert.Equal(retryAfterSeconds, refused.RetryAfterSeconds);
        }
        Assert.IsType<SubmitOutcome.Accepted>(await SubmitAsync(prompt));
        Assert.Equal(1, await system.JobsAtAsync(Provider, prompt));
    }

    [Theory]
    [InlineData("[timeout] who knows", 1)]
    [InlineData("[lost] who knows", 0)]
    public async Task No_complete_answer_means_that_nobody_knows(string prompt, int jobs)
    {
        Assert.IsType<SubmitOutcome.Ambiguous>(await SubmitAsync(prompt));
        Assert.Equal(jobs, await system.JobsAtAsync(Provider, prompt));
    }

    [Theory]
    [InlineData("bad-gateway", true)]
    [InlineData("gateway-timeout", true)]
    [InlineData("408", true)]
    [InlineData("520", true)]
    [InlineData("524", true)]
    [InlineData("527", true)]
    [InlineData("drop", true)]
    [InlineData("down", false)]
    public async Task A_gateway_may_have_lost_the_true_answer_a_service_that_is_down_has_none(string kind, bool isAmbiguous)
    {
        var running = await AcceptedAsync("A thing [slow 600]");
        await using var outage = await system.ProviderOutageAsync(Provider, kind);
        var outcome = await SubmitAsync("A thing");
        Assert.True(isAmbiguous ? outcome is SubmitOutcome.Ambiguous : outcome is SubmitOutcome.NotAccepted { IsOurFault: false }, outcome.ToString());
        Assert.IsType<PollOutcome.Unknown>(await Adapter.PollAsync(running, CancellationToken.None));
        Assert.False(await Adapter.CancelAsync(running, CancellationToken.None));
        Assert.False((await Adapter.ProbeAsync(CancellationToken.None)).IsUp);
        await outage.EndAsync();
        Assert.True((await Adapter.ProbeAsync(CancellationToken.None)).IsUp);
        Assert.IsType<PollOutcome.Running>(await Adapter.PollAsync(running, CancellationToken.None));
    }

    [Fact]
    public async Task A_wrong_key_and_an_empty_account_are_our_own_fault()
    {
        var running = await AcceptedAsync("A thing [slow 600]");
        await using var outage = await system.ProviderOutageAsync(Provider, "unauthorized");
        Assert.True(Assert.IsType<SubmitOutcome.NotAccepted>(await SubmitAsync("A thing")).IsOurFault);
        Assert.True(Assert.IsType<PollOutcome.Unknown>(await Adapter.PollAsync(running, CancellationToken.None)).IsOurFault);
        Assert.True((await Adapter.ProbeAsync(CancellationToken.None)).IsOurFault);
        await using var empty = await system.ProviderOutageAsync(Provider, "balance");
        Assert.True(Assert.IsType<SubmitOutcome.NotAccepted>(await SubmitAsync("A thing")).IsOurFault);
        await outage.EndAsync();
    }

    [Fact]
    public async Task Where_nobody_listens_nothing_was_accepted()
    {
        using var nobody = LoopbackAddress.Hold();
        await using var elsewhere = system.BuildServer(new() { [AddressKey] = nobody.Url });
        var adapter = elsewhere.Services.GetRequiredService<VideoProviders>().Find(Provider)!;
        Assert.False(Assert.IsType<SubmitOutcome.NotAccepted>(await adapter.SubmitAsync(Input("A thing"), null, CancellationToken.None)).IsOurFault);
        Assert.IsType<PollOutcome.Unknown>(await adapter.PollAsync(new(ProviderModelId, "x"), CancellationToken.None));
    }

    [Fact]
    public async Task A_running_job_can_be_stopped()
    {
        var job = await AcceptedAsync("A thing [slow 600]");
        Assert.True(await Adapter.CancelAsync(job, CancellationToken.None));
        Assert.Equal(FailureKind.Cancelled, Assert.IsType<PollOutcome.Failed>(await EndAsync(job with { IsCancelling = true })).Kind);
    }

    [Fact]
    public async Task A_job_that_the_vendor_does_not_know_is_asked_for_again() =>
        Assert.IsType<PollOutcome.Unknown>(await Adapter.PollAsync(new(ProviderModelId, Guid.NewGuid().ToString()), CancellationToken.None));

    [Theory]
    [InlineData("404")]
    [InlineData("410")]
    [InlineData("500")]
    [InlineData("502")]
    [InlineData("503")]
    [InlineData("504")]
    [InlineData("520")]
    [InlineData("html")]
    public async Task An_answer_that_is_not_the_vendors_own_is_no_verdict_on_a_finished_job(string kind)
    {
        var job = await AcceptedAsync("A thing [slow 0]");
        Assert.IsType<PollOutcome.Succeeded>(await EndAsync(job));
        await using var outage = await system.ProviderOutageAsync(Provider, kind);
        Assert.IsType<PollOutcome.Unknown>(await Adapter.PollAsync(job, CancellationToken.None));
        Assert.IsType<PollOutcome.Unknown>(await Adapter.PollAsync(job with { IsCancelling = true }, CancellationToken.None));
        await outage.EndAsync();
        Assert.IsType<PollOutcome.Succeeded>(await EndAsync(job));
    }

    [Theory]
    [InlineData("[status 404]")]
    [InlineData("[status 503]")]
    [InlineData("[status-html]")]
    [InlineData("[result 404]")]
    [InlineData("[result 500]")]
    [InlineData("[result 502]")]
    [InlineData("[result 503]")]
    [InlineData("[result 504]")]
    [InlineData("[result 520]")]
    [InlineData("[result-html]")]
    [InlineData("[result-empty]")]
    public async Task A_rude_answer_to_a_status_or_a_result_is_followed_by_another_poll(string directive)
    {
        var job = await AcceptedAsync($"A thing [slow 0] {directive}");
        var seen = new List<PollOutcome>();
        do
        {
            seen.Add(await EndAsync(job));
        } while (seen[^1] is PollOutcome.Unknown { IsOurFault: false } && seen.Count < 10);
        Assert.IsType<PollOutcome.Succeeded>(seen[^1]);
        Assert.True(seen.Count > 1, "the directive had no effect");
    }

    [Fact]
    public async Task The_key_goes_to_the_configured_host_only()
    {
        var job = await AcceptedAsync("A thing [slow 600]");
        // An address at another host is not used, whoever said it: these would answer 404.
        var elsewhere = system.Url + "/elsewhere";
        Assert.IsType<PollOutcome.Running>(
            await Adapter.PollAsync(job with { StatusUrl = elsewhere, ResultUrl = elsewhere, CancelUrl = elsewhere }, CancellationToken.None)
        );
    }

    [Fact]
    public async Task Unsigned_events_are_nobodys()
    {
        var body = """{"request_id":"x","job":"x","status":"OK"}"""u8.ToArray();
        Assert.IsType<InboundEvent.Unproven>(await Adapter.VerifyWebhookAsync(new HeaderDictionary(), body, CancellationToken.None));
        using var http = system.Anybody();
        using var answer = await http.PostAsync($"/webhooks/{Provider}/token", new ByteArrayContent(body));
        Assert.Equal(Adapter.HasWebhooks ? 401 : 404, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("", "completed", null)]
    [InlineData("[no-webhook]", "completed", null)]
    [InlineData("[429]", "completed", null)]
    [InlineData("[500]", "completed", null)]
    [InlineData("[old-address]", "completed", null)]
    [InlineData("[no-webhook] [status 404]", "completed", null)]
    [InlineData("[no-webhook] [result 404]", "completed", null)]
    [InlineData("[no-webhook] [result 503]", "completed", null)]
    [InlineData("[no-webhook] [result-html]", "completed", null)]
    [InlineData("[no-webhook] [result-empty]", "completed", null)]
    [InlineData("[reject]", "failed", "ERR_5003")]
    [InlineData("[fail]", "failed", "ERR_5002")]
    [InlineData("[garbage]", "failed", "ERR_5002")]
    [InlineData("[truncated]", "failed", "ERR_5002")]
    [InlineData("[huge]", "failed", "ERR_5002")]
    [InlineData("[redirect-private]", "failed", "ERR_5002")]
    [InlineData("[slow 600]", "failed", "ERR_5001")]
    [InlineData("[timeout]", "by webhook", "ERR_5001")]
    [InlineData("[lost]", "failed", "ERR_5001")]
    public async Task Whatever_happens_there_is_one_job_and_a_video_or_the_credits(string directive, string end, string? code)
    {
        var prompt = $"{directive} A story of {Provider}".Trim();
        var phone = await system.NewGuestAsync(100);
        var accepted = await phone.PostAsync("/generate-video", new { model_id = ModelId, prompt }, Guid.NewGuid());
        Assert.True(accepted.Status == global::System.Net.HttpStatusCode.OK, accepted.Text);
        var job = accepted["job_id"].GetString()!;
        if (code == "ERR_5001" && !(end == "by webhook" && Adapter.HasWebhooks))
        {
            await system.PassDeadlineAsync(job);
        }
        var last = (await phone.WatchAsync(job))[^1];
        var isCompleted = end == "completed" || (end == "by webhook" && Adapter.HasWebhooks);
        Assert.True(last.GetProperty("status").GetString() == (isCompleted ? "completed" : "failed"), last.GetRawText());
        Assert.Equal(isCompleted ? null : code, last.GetProperty("error_code").GetString());
        Assert.Equal(isCompleted ? 100 - accepted["credits_used"].GetInt32() : 100, await phone.CreditsAsync());
        if (isCompleted)
        {
            var video = last.GetProperty("video");
            Assert.Equal((320, 180), (video.GetProperty("width").GetInt32(), video.GetProperty("height").GetInt32()));
            Assert.Equal(2.0, video.GetProperty("duration_seconds").GetDouble(), 1);
        }
        Assert.Equal(directive == "[lost]" ? 0 : 1, await system.JobsAtAsync(Provider, prompt));
        Assert.Equal(
            isCompleted ? "1" : "0",
            (
                await system.RowsAsync(
                    $"select count(*) from storage_objects where job_id = '{last.GetProperty("job_id")}' and bucket = 'videos' and state = 'stored'"
                )
            )[0]
        );
        await system.AssertLedgerAsync();
    }

    protected GenerationInput Input(string prompt) =>
        new(ProviderModelId, prompt, JsonDocument.Parse(GenerationSettings).RootElement, null, JsonDocument.Parse(ModelMap).RootElement);

    protected Task<SubmitOutcome> SubmitAsync(string prompt) => Adapter.SubmitAsync(Input(prompt), null, CancellationToken.None);

    protected async Task<SubmissionRef> AcceptedAsync(string prompt) =>
        await SubmitAsync(prompt) is var outcome && outcome is SubmitOutcome.Accepted accepted
            ? Reference(accepted, ProviderModelId)
            : throw new InvalidOperationException(outcome.ToString());

    protected Task<PollOutcome> EndAsync(SubmissionRef job) =>
        Eventually.IsAsync(() => Adapter.PollAsync(job, CancellationToken.None), outcome => outcome is not PollOutcome.Running);

    private static SubmissionRef Reference(SubmitOutcome.Accepted accepted, string model) =>
        new(model, accepted.ProviderJobId, accepted.StatusUrl, accepted.ResultUrl, accepted.CancelUrl);

    /// <summary>Every combination of the options that a model offers; of a long row of durations the ends and the middle.</summary>
    private static List<Dictionary<string, JsonElement>> Combinations(JsonElement settings)
    {
        List<Dictionary<string, JsonElement>> all =
        [
            [],
        ];
        foreach (var setting in settings.EnumerateObject().Where(setting => setting.Value.TryGetProperty("options", out _)))
        {
            all =
            [
                .. all.SelectMany(chosen =>
                    Ends([.. setting.Value.GetProperty("options").EnumerateArray()])
                        .Select(option => new Dictionary<string, JsonElement>(chosen) { [setting.Name] = option })
                ),
            ];
        }
        return all;
    }

    private static JsonElement[] Ends(JsonElement[] options) => options.Length <= 7 ? options : [options[0], options[options.Length / 2], options[^1]];
}

using System.Text.Json;
using Reelbase.Server.Integrations;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance.Providers;

/// <summary>fal.ai against the suite.</summary>
public sealed class FalConformanceTests(ConformanceSystem system) : ProviderConformance(system)
{
    protected override string Provider => "fal";
    protected override string ModelId => Catalog.FastModel;
    protected override string ProviderModelId => "fal-ai/veo3.1/fast";
    protected override string GenerationSettings => """{"duration":8,"audio":false}""";
    protected override string ModelMap =>
        """{"settings":{"duration":{"field":"duration","type":"digits","suffix":"s"},"audio":{"field":"generate_audio","type":"boolean"}}}""";
    protected override string AddressKey => "Fal:QueueUrl";

    [Fact]
    public async Task A_finished_request_is_not_lost_by_cancelling_it()
    {
        var job = await AcceptedAsync("A thing [slow 0]");
        await EndAsync(job);
        Assert.False(await Adapter.CancelAsync(job, CancellationToken.None));
        Assert.IsType<PollOutcome.Succeeded>(await EndAsync(job));
    }

    [Fact]
    public async Task An_input_that_a_model_does_not_take_is_found_late_and_called_so()
    {
        var input = Input("A thing [slow 0]") with { Settings = JsonDocument.Parse("""{"duration":5}""").RootElement };
        var taken = Assert.IsType<SubmitOutcome.Accepted>(await Adapter.SubmitAsync(input, null, CancellationToken.None));
        var failed = Assert.IsType<PollOutcome.Failed>(await EndAsync(new(ProviderModelId, taken.ProviderJobId)));
        Assert.Equal(FailureKind.InputRefused, failed.Kind);
    }

    [Fact]
    public async Task A_result_may_be_wrapped_in_a_response()
    {
        Assert.IsType<PollOutcome.Succeeded>(await EndAsync(await AcceptedAsync("A thing [slow 0] [wrapped]")));
    }

    /// <summary>The two shapes of fal's errors, and what only looks like one.</summary>
    [Theory]
    [InlineData(500, null, null, """{"detail":[{"loc":["body"],"msg":"x","type":"internal_server_error"}]}""", FailureKind.Unavailable)]
    [InlineData(422, null, null, """{"detail":[{"loc":["body"],"msg":"x","type":"content_policy_violation"}]}""", FailureKind.ContentRejected)]
    [InlineData(404, null, null, """{"detail":[{"loc":["body"],"msg":"x","type":"file_download_error"}]}""", FailureKind.InputRefused)]
    [InlineData(200, null, null, """{"response":{"detail":[{"loc":["body"],"msg":"x","type":"no_media_generated"}]}}""", FailureKind.ContentRejected)]
    [InlineData(504, null, null, """{"detail":"x","error_type":"request_timeout"}""", FailureKind.Timeout)]
    [InlineData(503, null, null, """{"detail":"x","error_type":"runner_scheduling_failure"}""", FailureKind.Unavailable)]
    [InlineData(500, "generation_timeout", null, "", FailureKind.Timeout)]
    [InlineData(404, null, "client_cancelled", "", FailureKind.Cancelled)]
    [InlineData(502, null, "startup_timeout", "<html>", FailureKind.Timeout)]
    [InlineData(422, null, null, """{"detail":"The prompt is too long"}""", FailureKind.InputRefused)]
    [InlineData(404, null, null, """{"detail":"Request not found"}""", null)]
    [InlineData(400, null, null, """{"detail":"Request is still in progress"}""", null)]
    [InlineData(500, null, null, """{"detail":"Internal Server Error"}""", null)]
    [InlineData(500, null, null, """{"detail":[]}""", null)]
    [InlineData(500, null, null, """{"detail":[{"msg":"no type"}]}""", null)]
    [InlineData(500, null, null, """{"detail":["text"]}""", null)]
    [InlineData(500, null, null, """{"error_type":""}""", null)]
    [InlineData(422, null, null, "<html>422</html>", null)]
    [InlineData(200, null, null, "{}", null)]
    [InlineData(200, null, null, "[]", null)]
    [InlineData(504, null, null, "", null)]
    public void Only_fals_own_words_end_a_request(int status, string? header, string? statusErrorType, string body, FailureKind? kind)
    {
        using var response = new HttpResponseMessage();
        if (header is not null)
        {
            response.Headers.Add("X-Fal-Error-Type", header);
        }
        Assert.Equal(kind, Server.Integrations.Fal.FalErrors.Verdict(new ProviderResponse(status, body, response.Headers), statusErrorType)?.Kind);
    }

    [Theory]
    [InlineData("fal-ai/veo3.1/fast/image-to-video", "/fal/fal-ai/veo3.1/requests/")]
    [InlineData("fal-ai/kling-video/v3/standard/text-to-video", "/fal/fal-ai/kling-video/requests/")]
    public async Task Without_stored_addresses_owner_and_alias_make_them(string model, string path)
    {
        var taken = Assert.IsType<SubmitOutcome.Accepted>(
            await Adapter.SubmitAsync(
                Input("A thing [slow 600]") with
                {
                    ProviderModelId = model,
                    ImageUrl = "https://pictures.example/a.jpg",
                },
                null,
                CancellationToken.None
            )
        );
        Assert.Contains(path, taken.StatusUrl, StringComparison.Ordinal);
        Assert.IsType<PollOutcome.Running>(await Adapter.PollAsync(new(model, taken.ProviderJobId), CancellationToken.None));
    }
}

/// <summary>Pika, through fal, against the suite.</summary>
public sealed class PikaConformanceTests(ConformanceSystem system) : ProviderConformance(system)
{
    protected override string Provider => "pika";
    protected override string ModelId => "a0000000-0000-4000-8000-000000000006";
    protected override string ProviderModelId => "fal-ai/pika/v2.2/text-to-video";
    protected override string GenerationSettings => """{"duration":5}""";
    protected override string AddressKey => "Fal:QueueUrl";
}

/// <summary>Runway against the suite.</summary>
public sealed class RunwayConformanceTests(ConformanceSystem system) : ProviderConformance(system)
{
    protected override string Provider => "runway";
    protected override string ModelId => "a0000000-0000-4000-8000-00000000000b";
    protected override string ProviderModelId => "gen4.5";
    protected override string GenerationSettings => """{"duration":5}""";
    protected override string AddressKey => "Runway:BaseUrl";

    [Fact]
    public async Task An_input_that_a_model_does_not_take_is_refused_at_once()
    {
        var input = Input("A thing") with { Settings = JsonDocument.Parse("""{"duration":11}""").RootElement };
        Assert.Equal(FailureKind.InputRefused, Assert.IsType<SubmitOutcome.Rejected>(await Adapter.SubmitAsync(input, null, CancellationToken.None)).Kind);
    }

    [Fact]
    public async Task Canceled_with_one_l_is_cancelled()
    {
        var job = await AcceptedAsync("A thing [slow 600] [canceled]");
        Assert.True(await Adapter.CancelAsync(job, CancellationToken.None));
        Assert.Equal(FailureKind.Cancelled, Assert.IsType<PollOutcome.Failed>(await Adapter.PollAsync(job, CancellationToken.None)).Kind);
    }

    [Fact]
    public async Task Cost_and_a_fresh_address_come_with_every_poll()
    {
        var job = await AcceptedAsync("A thing [slow 0]");
        var first = Assert.IsType<PollOutcome.Succeeded>(await EndAsync(job));
        var second = Assert.IsType<PollOutcome.Succeeded>(await EndAsync(job));
        Assert.NotEqual(first.VideoUrl, second.VideoUrl);
        // Five seconds at 12 credits, a cent each.
        Assert.Equal(600_000, first.CostMicros);
    }

    [Fact]
    public async Task No_task_is_polled_more_often_than_the_vendor_wants()
    {
        await using var patient = await System.WithSettingsAsync(new() { ["Runway:MinPollSeconds"] = "1" });
        var prompt = "A slow one [steps]";
        var phone = await System.NewGuestAsync(100);
        var accepted = await phone.PostAsync("/generate-video", new { model_id = ModelId, prompt }, Guid.NewGuid());
        Assert.Equal("completed", (await phone.WatchAsync(accepted["job_id"].GetString()!))[^1].GetProperty("status").GetString());
        var tasks = await System.Control.GetFromJsonAsync<JsonElement>("/_control/runway/tasks");
        var task = tasks.GetProperty("tasks").EnumerateArray().Single(task => task.GetProperty("input").GetProperty("promptText").GetString() == prompt);
        Assert.True(task.GetProperty("shortest_poll_seconds").GetDouble() >= 0.95, task.GetRawText());
        Assert.Equal(5, new Server.Integrations.Runway.RunwayOptions().MinPollSeconds);
    }

    [Theory]
    [InlineData("SAFETY.INPUT.TEXT", FailureKind.ContentRejected)]
    [InlineData("SAFETY.OUTPUT", FailureKind.ContentRejected)]
    [InlineData("INPUT_PREPROCESSING.SAFETY.THIRD_PARTY", FailureKind.ContentRejected)]
    [InlineData("INPUT_PREPROCESSING.INTERNAL", FailureKind.Unavailable)]
    [InlineData("THIRD_PARTY.INPUT_VALIDATION", FailureKind.InputRefused)]
    [InlineData("THIRD_PARTY.UNAVAILABLE", FailureKind.Unavailable)]
    [InlineData("INTERNAL.BAD_OUTPUT.CODE01", FailureKind.Unavailable)]
    [InlineData("ASSET.INVALID", FailureKind.InputRefused)]
    [InlineData("SAFETYNET.NEW", FailureKind.Unavailable)]
    [InlineData(null, FailureKind.Unavailable)]
    public void Failure_codes_are_read_by_their_beginning(string? code, FailureKind kind) =>
        Assert.Equal(kind, Server.Integrations.Runway.RunwayErrors.Kind(code));
}

/// <summary>The toy: an adapter that came as a folder and rows, against the same suite.</summary>
public sealed class ToyConformanceTests(ConformanceSystem system) : ProviderConformance(system)
{
    protected override string Provider => "toy";
    protected override string ModelId => ConformanceSystem.ToyModel;
    protected override string ProviderModelId => "toy-1";
    protected override string GenerationSettings => """{"duration":5}""";
    protected override string AddressKey => "Toy:BaseUrl";
}

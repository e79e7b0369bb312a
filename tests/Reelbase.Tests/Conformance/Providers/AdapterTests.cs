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

    [Theory]
    [InlineData("fal-ai/veo3.1/fast/image-to-video", "/fal/fal-ai/veo3.1/requests/")]
    [InlineData("fal-ai/kling-video/v3/standard/text-to-video", "/fal/fal-ai/kling-video/requests/")]
    public async Task Without_stored_addresses_owner_and_alias_make_them(string model, string path)
    {
        var taken = Assert.IsType<SubmitOutcome.Accepted>(
            await Adapter.SubmitAsync(
                Input("A thing [slow 60]") with
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
    public async Task Cost_and_a_fresh_address_come_with_every_look()
    {
        var job = await AcceptedAsync("A thing [slow 0]");
        var first = Assert.IsType<PollOutcome.Succeeded>(await EndAsync(job));
        var second = Assert.IsType<PollOutcome.Succeeded>(await EndAsync(job));
        Assert.NotEqual(first.VideoUrl, second.VideoUrl);
        // Five seconds at 12 credits, a cent each.
        Assert.Equal(600_000, first.CostMicros);
    }

    [Fact]
    public async Task No_task_is_looked_at_more_often_than_the_vendor_wants()
    {
        await System.RestartServerAsync(new() { ["Runway:MinPollSeconds"] = "1" });
        var prompt = "A slow one [slow 4]";
        var phone = await System.NewGuestAsync(100);
        var accepted = await phone.PostAsync("/generate-video", new { model_id = ModelId, prompt }, Guid.NewGuid());
        Assert.Equal("completed", (await phone.WatchAsync(accepted["job_id"].GetString()!))[^1].GetProperty("status").GetString());
        var tasks = await System.Control.GetFromJsonAsync<JsonElement>("/_control/runway/tasks");
        var task = tasks.GetProperty("tasks").EnumerateArray().Single(task => task.GetProperty("input").GetProperty("promptText").GetString() == prompt);
        Assert.True(task.GetProperty("shortest_poll_seconds").GetDouble() >= 0.95, task.GetRawText());
        Assert.Equal(5, new Server.Integrations.Runway.RunwayOptions().MinPollSeconds);
        await System.RestartServerAsync();
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

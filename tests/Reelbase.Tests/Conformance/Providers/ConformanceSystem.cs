using System.Text.Json;
using Reelbase.Server.Platform.Modules;
using Reelbase.Tests.Conformance.Providers.Toy;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance.Providers;

/// <summary>The whole product with every provider, the toy too.</summary>
public sealed class ConformanceSystem : TestSystem
{
    /// <summary>The model row through which the toy is reached.</summary>
    public const string ToyModel = "70700000-0000-4000-8000-000000000001";

    private static readonly Dictionary<string, string> Paths = new() { ["pika"] = "fal" };

    /// <summary>The toy vendor.</summary>
    public ToyService Toy { get; private set; } = null!;

    protected override bool HasMediaTools => true;

    protected override IReadOnlyList<IModule> MoreModules => [new ToyModule()];

    protected override Dictionary<string, string?> Settings =>
        new()
        {
            ["Generation:AmbiguousSeconds"] = "2",
            ["Downloads:MaxBytes"] = (20 * 1024 * 1024).ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["Toy:ApiKey"] = "toy",
            ["Toy:BaseUrl"] = $"{SimulatorsUrl}/toy",
            ["Toy:WebhookSecrets:0"] = ToyService.Secret,
            ["Toy:Concurrency"] = "40",
            ["Toy:SubmitTimeoutSeconds"] = Patience.ServerSeconds,
            ["Toy:RetryBaseSeconds"] = "0.05",
            ["Toy:BreakerMinCalls"] = "1000",
            ["Toy:AccountPauseSeconds"] = "0.5",
        };

    /// <inheritdoc/>
    protected override void MapMore(Microsoft.AspNetCore.Builder.WebApplication simulators)
    {
        Toy = new ToyService(VideoSeconds);
        Toy.Map(simulators);
    }

    /// <inheritdoc/>
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await ExecuteAsync(
            """
            insert into models (id, name, category, description, cost_per_generation, provider, provider_model_id, pricing_type, credits_per_second, required_fields)
            values ('70700000-0000-4000-8000-000000000001', 'Toy', 'text_to_video', 'For the tests.', 5, 'toy', 'toy-1', 'per_second', 1,
              '{"requires_prompt":true,"requires_image":false,"settings":{"duration":{"required":true,"default":5,"options":[5,10]}}}')
            """
        );
    }

    /// <summary>Makes a provider misbehave until the test says that it is over, or ends.</summary>
    public Task<Planted> ProviderOutageAsync(string provider, string kind) => OutageAsync(Paths.GetValueOrDefault(provider, provider), kind);

    /// <summary>How many jobs a provider has made of a prompt.</summary>
    public async Task<int> JobsAtAsync(string provider, string prompt)
    {
        switch (provider)
        {
            case "toy":
                return Toy.Jobs.Values.Count(job => job.Text == prompt);
            case "runway":
                var tasks = await Control.GetFromJsonAsync<JsonElement>("/_control/runway/tasks");
                return tasks.GetProperty("tasks").EnumerateArray().Count(task => task.GetProperty("input").GetProperty("promptText").GetString() == prompt);
            default:
                return (await SubmissionsAsync(prompt)).Count;
        }
    }
}

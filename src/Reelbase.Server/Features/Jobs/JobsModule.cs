using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using MudBlazor;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Server.Features.Jobs.Live;
using Reelbase.Server.Features.Jobs.Providers;
using Reelbase.Server.Features.Jobs.Queue;
using Reelbase.Server.Features.Jobs.VideoLibrary;
using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs;

/// <summary>From the press to the finished video and its owner's lists: acceptance, queue, submission, fetching, live status, library, providers' health.</summary>
public sealed class JobsModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables =>
        ["video_jobs", "job_submissions", "model_margins", "provider_spend", "provider_states", "queue_lanes", "queue_marks"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations { get; } = [.. GenerateVideoOperations.All, .. VideoLibraryOperations.All];

    /// <inheritdoc/>
    public IReadOnlyList<MenuEntry> MenuEntries => [new("admin/jobs", Icons.Material.Filled.Movie, "Jobs", 30)];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<GenerationOptions>("Generation");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.AddSingleton<VideoProviders>();
        services.AddSingleton<ProviderHealth>();
        services.AddSingleton<IProviderHealthListener>(provider => provider.GetRequiredService<ProviderHealth>());
        services.AddSingleton(new OperationRules("admin-retry-job", provider => Options(provider).QueueDeadlineSeconds));
        services.AddSingleton(
            new OperationRules(
                "admin-model-margins",
                provider => JsonSerializer.Serialize(new { credit_micros = (long)(Options(provider).DollarsPerCredit * 1_000_000) })
            )
        );
        services.AddSingleton(new OperationTopics(TopicsOf));
        if (context.IsApi)
        {
            services.AddSingleton<GenerationLimit>();
            services.AddSingleton<ImageUrlRules>();
            services.AddSingleton<PictureCopies>();
            services.AddSingleton<QueueMemory>();
            services.AddSingleton<JobView>();
            services.AddSingleton<JobStatuses>();
        }
        if (context.IsWorker)
        {
            services.AddSingleton<VideoFetcher>();
            services.AddSingleton<JobPictures>();
        }
    }

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        // Says which providers there are before anything is submitted to them.
        workers.OnWorker<ProviderHealthMonitor>();
        workers.OnEveryNode<QueueKeeper>();
        workers.OnApi<QueueReader>();
        workers.OnWorker<RestoreGuard>();
        workers.OnWorker<VideoJobWorker>();
        workers.OnWorker<ProviderBills>();
        workers.OnWorker<SubmissionSettler>();
        workers.OnApi<LiveHub>();
        workers.OnApi<StreamHeartbeat>();
    }

    /// <inheritdoc/>
    public void CheckAtStart(IServiceProvider services, ModuleContext context)
    {
        if (context.IsWorker)
        {
            CheckDrain(services.GetRequiredService<IOptions<WorkOptions>>().Value, services.GetRequiredService<VideoProviders>());
        }
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            GenerateVideoEndpoint.Map(routes.Functions);
            routes.Functions.MapVideoLibrary();
        }
    }

    private static GenerationOptions Options(IServiceProvider services) => services.GetRequiredService<IOptions<GenerationOptions>>().Value;

    /// <summary>Whatever an admin changed may let a job go on; whoever watches the one that was named sees it at once.</summary>
    private static IEnumerable<string> TopicsOf(JsonObject request) =>
        request["job_id"]?.GetValueKind() == JsonValueKind.String && Guid.TryParse((string?)request["job_id"], out var job)
            ? [VideoJobWorker.WakeTopic, VideoJobWorker.TopicOf(job)]
            : [VideoJobWorker.WakeTopic];

    /// <summary>A worker that stops may not break a submission off.</summary>
    private static void CheckDrain(WorkOptions work, VideoProviders providers)
    {
        if (providers.All.MaxBy(provider => provider.Options.SubmitTimeoutSeconds) is { } slowest && slowest.Options.SubmitTimeoutSeconds > work.DrainSeconds)
        {
            throw new OptionsValidationException(
                "Work",
                typeof(WorkOptions),
                [$"Work:DrainSeconds must be at least {providers.SectionOf(slowest.Name)}:SubmitTimeoutSeconds ({slowest.Options.SubmitTimeoutSeconds})"]
            );
        }
    }
}

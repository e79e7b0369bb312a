using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.GenerateVideo.Queue;
using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.GenerateVideo;

/// <summary>From the press to the finished video: acceptance, queue, submission, fetching.</summary>
public sealed class GenerateVideoModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["video_jobs", "job_submissions", "model_margins", "provider_spend", "queue_lanes", "queue_marks"];

    /// <inheritdoc/>
    public IReadOnlyList<AdminOperation> AdminOperations => GenerateVideoOperations.All;

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<GenerationOptions>("Generation");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
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
        workers.OnEveryNode<QueueKeeper>();
        workers.OnApi<QueueReader>();
        workers.OnWorker<RestoreGuard>();
        workers.OnWorker<VideoJobWorker>();
        workers.OnWorker<ProviderBills>();
        workers.OnWorker<SubmissionSettler>();
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

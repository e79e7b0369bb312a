using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>
/// Deals with the jobs of a restored database that may have been submitted in the time that was lost. Until that is done the database
/// itself lets nobody submit (<c>submissions_are_held</c>).
/// </summary>
public sealed class RestoreGuard(
    WorkerDatabase database,
    VideoProviders providers,
    IOptions<GenerationOptions> options,
    IOptions<ServerOptions> server,
    ILogger<RestoreGuard> logger
) : PeriodicWork(logger)
{
    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        if (!await database.ScalarAsync<bool>("select submissions_are_held()", stoppingToken))
        {
            return;
        }
        var withWebhooks = server.Value.PublicUrl is { Length: > 0 }
            ? providers.All.Where(provider => provider.HasWebhooks).Select(provider => provider.Name).ToArray()
            : [];
        var marked = await database.ScalarAsync<int>(
            "select mark_jobs_after_restore($1, $2, $3::text[])",
            stoppingToken,
            options.Value.AmbiguousSeconds,
            options.Value.SubmissionDeadlineSeconds,
            withWebhooks
        );
        logger.LogWarning("The database was restored; {Jobs} jobs may have been submitted before and are not submitted again", marked);
    }
}

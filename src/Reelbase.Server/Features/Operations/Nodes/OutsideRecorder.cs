using System.Text.Json;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Operations.Nodes;

/// <summary>Passes on what this process heard from outside systems, so that every node, the console and <c>doctor</c> know it.</summary>
public sealed class OutsideRecorder(WorkerDatabase database, OutsideSystems outside, ILogger<OutsideRecorder> logger) : PeriodicWork(logger)
{
    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var news = outside.TakeNews();
        if (news.Count == 0)
        {
            return;
        }
        try
        {
            await database.ExecuteAsync(
                "select record_outside_systems($1::jsonb)",
                stoppingToken,
                JsonSerializer.Serialize(
                    news.Select(word => new
                    {
                        system = word.System,
                        success_at = word.LastSuccessAt,
                        failure_at = word.LastFailureAt,
                        failure = word.LastFailure,
                    })
                )
            );
        }
        catch
        {
            outside.PutBack(news);
            throw;
        }
    }
}

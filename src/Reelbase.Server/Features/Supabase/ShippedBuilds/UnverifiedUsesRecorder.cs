using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Supabase.ShippedBuilds;

/// <summary>Writes down, and logs, what the switch for shipped builds let in.</summary>
public sealed partial class UnverifiedUsesRecorder(ApiDatabase database, UnverifiedUses uses, ILogger<UnverifiedUsesRecorder> logger) : PeriodicWork(logger)
{
    private readonly Dictionary<string, (long Uses, DateTime LoggedAt)> _unlogged = [];

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        foreach (var (kind, count) in uses.Take())
        {
            var (unlogged, loggedAt) = _unlogged.GetValueOrDefault(kind);
            unlogged += count;
            if (DateTime.UtcNow - loggedAt > TimeSpan.FromMinutes(1))
            {
                Log(logger, unlogged, kind);
                (unlogged, loggedAt) = (0, DateTime.UtcNow);
            }
            _unlogged[kind] = (unlogged, loggedAt);
            await database.ExecuteAsync("select count_unverified_uses($1, $2)", stoppingToken, kind, count);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "INSECURE: {Uses} requests of shipped builds were believed without proof ({Kind}, Server:AcceptUnverifiedUserId)"
    )]
    private static partial void Log(ILogger logger, long uses, string kind);
}

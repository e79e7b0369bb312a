using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Cleanup;

/// <summary>One cleanup from beginning to end, for the worker at night and for an operator who wants it now.</summary>
public static class CleanupRun
{
    /// <summary>What is cleaned, in this order.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["videos", "idempotency", "rate_limits", "errors", "sessions", "payloads"];

    /// <summary>Removes what is old enough, in batches with a pause between; or only counts it.</summary>
    /// <returns>How many rows of each kind.</returns>
    public static async Task<Dictionary<string, long>> RunAsync(
        RoleDatabase database,
        CleanupOptions options,
        int videoDays,
        bool isDryRun,
        CancellationToken cancellationToken
    )
    {
        var report = new Dictionary<string, long>();
        var rules = options.Rules(videoDays);
        foreach (var kind in Kinds)
        {
            report[kind] = 0;
            for (var batch = 0; batch < options.MaxBatches; batch++)
            {
                var done = await database.ScalarAsync<long>(
                    "select clean_up($1, $2::jsonb, $3, $4)",
                    cancellationToken,
                    kind,
                    rules,
                    options.BatchRows,
                    isDryRun
                );
                report[kind] += done;
                if (done == 0 || isDryRun)
                {
                    break;
                }
                await Task.Delay(options.PauseMilliseconds, cancellationToken);
            }
        }
        return report;
    }
}

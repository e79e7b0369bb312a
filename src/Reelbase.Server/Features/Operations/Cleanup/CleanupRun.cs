using Npgsql;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Operations.Cleanup;

/// <summary>What a cleanup did: rows removed of each kind, and why a kind could not be finished.</summary>
public sealed record CleanupReport(Dictionary<string, long> Removed, Dictionary<string, string> Failed);

/// <summary>One cleanup from beginning to end, for the worker at night and for an operator who wants it now.</summary>
public static class CleanupRun
{
    /// <summary>Old generations of refresh tokens are walked session by session; everything else is found by an index.</summary>
    private const string RefreshTokens = "refresh_tokens";

    /// <summary>What is cleaned, in this order.</summary>
    public static IReadOnlyList<string> Kinds { get; } =
    [
        "videos",
        "uploads",
        "idempotency",
        "rate_limits",
        "errors",
        "sessions",
        RefreshTokens,
        "grants",
        "consents",
        "alerts",
        "reports",
        "payloads",
        "device_ids",
        "storage_use",
    ];

    /// <summary>Removes what is old enough, in batches with a pause between; or only counts it. A kind that fails does not keep the others.</summary>
    /// <param name="afterBatch">Called after every batch: prolongs a lease.</param>
    public static async Task<CleanupReport> RunAsync(
        RoleDatabase database,
        CleanupOptions options,
        int videoDays,
        bool isDryRun,
        Func<Task> afterBatch,
        CancellationToken cancellationToken
    )
    {
        var report = new CleanupReport([], []);
        var rules = options.Rules(videoDays);
        foreach (var kind in Kinds)
        {
            report.Removed[kind] = 0;
            try
            {
                Guid? after = null;
                for (var batch = 0; batch < options.MaxBatches; batch++)
                {
                    long done;
                    bool isLast;
                    if (kind == RefreshTokens)
                    {
                        var walked = (
                            await database.ListAsync<Walked>(
                                "select * from clean_up_refresh_tokens($1::uuid, $2::jsonb, $3, $4)",
                                cancellationToken,
                                after,
                                rules,
                                options.BatchRows,
                                isDryRun
                            )
                        )[0];
                        (done, after) = (walked.Removed, walked.LastSessionId);
                        isLast = after is null;
                    }
                    else
                    {
                        done = await database.ScalarAsync<long>(
                            "select clean_up($1, $2::jsonb, $3, $4)",
                            cancellationToken,
                            kind,
                            rules,
                            options.BatchRows,
                            isDryRun
                        );
                        isLast = done == 0 || isDryRun;
                    }
                    report.Removed[kind] += done;
                    await afterBatch();
                    if (isLast)
                    {
                        break;
                    }
                    await Task.Delay(options.PauseMilliseconds, cancellationToken);
                }
            }
            catch (NpgsqlException error)
            {
                report.Failed[kind] = error.Message;
            }
        }
        return report;
    }

    private sealed record Walked(Guid? LastSessionId, long Removed);
}

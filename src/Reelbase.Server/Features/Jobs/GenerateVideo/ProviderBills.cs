using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>
/// Keeps what providers have billed: at once where the answer that brought the video says it, and by asking for the result once more where only an event came.
/// Nobody is charged by it; the operator sees what each model brings and costs, and hears of one that costs more.
/// </summary>
public sealed class ProviderBills(WorkerDatabase database, VideoProviders providers, IOptions<GenerationOptions> options, ILogger<ProviderBills> logger)
    : PeriodicWork(logger)
{
    private const int BatchRows = 20;
    private const int PauseSeconds = 30;
    private const int MaxAttempts = 6;
    private const decimal MicrosPerDollar = 1_000_000;

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(5);

    /// <summary>Keeps what an outcome says of its cost; nothing when it says nothing.</summary>
    public Task RecordAsync(long? submissionId, PollOutcome outcome)
    {
        var (units, micros) = outcome switch
        {
            PollOutcome.Succeeded done => (done.BilledUnits, done.CostMicros),
            PollOutcome.Failed { CostMicros: > 0 } failed => (null, failed.CostMicros),
            _ => ((decimal?)null, (long?)null),
        };
        return submissionId is null || (units is null && micros is null)
            ? Task.CompletedTask
            : database.ExecuteAsync(
                "select record_provider_bill($1, $2::numeric, $3::bigint, $4)",
                CancellationToken.None,
                submissionId,
                units,
                micros,
                (long)(options.Value.DollarsPerCredit * MicrosPerDollar)
            );
    }

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var names = providers.All.Where(provider => provider.HasBills).Select(provider => provider.Name).ToArray();
        var due = await database.ListAsync<Unbilled>(
            "select * from claim_unbilled_submissions($1::text[], $2, $3, $4)",
            stoppingToken,
            names,
            BatchRows,
            PauseSeconds,
            MaxAttempts
        );
        await Task.WhenAll(
            due.GroupBy(item => item.Provider)
                .Select(async items =>
                {
                    foreach (var item in items)
                    {
                        await TryAsync("ask for a bill", () => AskAsync(item, stoppingToken), stoppingToken);
                    }
                })
        );
    }

    private async Task AskAsync(Unbilled item, CancellationToken cancellationToken)
    {
        if (providers.Find(item.Provider) is { } provider)
        {
            var reference = new SubmissionRef(item.ProviderModelId, item.ProviderJobId, item.StatusUrl, item.ResultUrl, item.CancelUrl);
            await RecordAsync(item.SubmissionId, await provider.PollAsync(reference, cancellationToken));
        }
    }

    private sealed record Unbilled(
        long SubmissionId,
        string Provider,
        string? ProviderModelId,
        string ProviderJobId,
        string? StatusUrl,
        string? ResultUrl,
        string? CancelUrl
    );
}

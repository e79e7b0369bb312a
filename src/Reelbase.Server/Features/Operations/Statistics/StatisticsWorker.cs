using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Telemetry;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Operations.Statistics;

/// <summary>
/// Counts the hours (on whichever node comes first) and keeps the numbers that <c>/metrics</c> shows of the whole installation. Every node
/// with a worker shows the same ones: take the maximum over nodes, not the sum.
/// </summary>
public sealed class StatisticsWorker : PeriodicWork
{
    /// <summary>A month at a time of a past that was not counted yet.</summary>
    private const int MaxHours = 24 * 31;

    private static readonly (string Name, string Metric, string Unit, string Description, bool IsTotal)[] Series =
    [
        ("ledger_credits", "reelbase.ledger.credits", "{credit}", "Credits moved since the beginning, by reason of the ledger", true),
        ("jobs_total", "reelbase.jobs", "{job}", "Jobs since the beginning, by provider, model and result", true),
        ("jobs_open", "reelbase.jobs.open", "{job}", "Jobs that have not ended, by provider, model and stage", false),
        ("queue_age_seconds", "reelbase.queue.age", "s", "Age of the oldest job that waits for its provider", false),
        ("webhooks", "reelbase.webhooks", "{delivery}", "Inbound events that wait or have failed", false),
        ("pushes_pending", "reelbase.pushes.pending", "{push}", "Pushes that wait", false),
        ("purchase_claims_pending", "reelbase.purchase.claims.pending", "{claim}", "Purchases that Apple could not confirm yet", false),
        ("alerts_pending", "reelbase.alerts.pending", "{alert}", "Alerts that were not sent yet", false),
        ("storage_bytes", "reelbase.storage.bytes", "By", "What files take, by kind", false),
        ("storage_files", "reelbase.storage.files", "{file}", "Files, by kind", false),
        ("storage_capacity_bytes", "reelbase.storage.capacity", "By", "Storage:CapacityGigabytes, when it is set", false),
        ("provider_offered", "reelbase.provider.offered", "{provider}", "1 while the provider's models are offered", false),
    ];

    private readonly WorkerDatabase _database;
    private readonly IOptions<TelemetryOptions> _options;
    private readonly Meter _meter = new("Reelbase.Statistics");
    private volatile Dictionary<string, List<Measurement<double>>> _latest = [];

    public StatisticsWorker(WorkerDatabase database, IOptions<TelemetryOptions> options, ILogger<StatisticsWorker> logger)
        : base(logger)
    {
        _database = database;
        _options = options;
        foreach (var (name, metric, unit, description, isTotal) in Series)
        {
            IEnumerable<Measurement<double>> Read() => _latest.GetValueOrDefault(name) ?? [];
            if (isTotal)
            {
                _meter.CreateObservableCounter(metric, Read, unit, description);
            }
            else
            {
                _meter.CreateObservableGauge(metric, Read, unit, description);
            }
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(_options.Value.StatisticsSeconds);

    /// <inheritdoc/>
    protected override Task RunOnceAsync(CancellationToken stoppingToken) => RefreshAsync(stoppingToken);

    /// <summary>Counts, and reads what there is.</summary>
    internal async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await _database.ExecuteAsync("select keep_statistics($1, $2)", cancellationToken, MaxHours, _options.Value.StatisticsSeconds);
        var rows = await _database.ListAsync<Row>("select name, labels::text as labels, value from read_statistics()", cancellationToken);
        _latest = rows.GroupBy(row => row.Name).ToDictionary(group => group.Key, group => group.Select(row => row.ToMeasurement()).ToList());
    }

    private sealed record Row(string Name, string Labels, double Value)
    {
        public Measurement<double> ToMeasurement() =>
            new(
                Value,
                JsonSerializer.Deserialize<Dictionary<string, string>>(Labels)!.Select(label => new KeyValuePair<string, object?>(label.Key, label.Value))
            );
    }
}

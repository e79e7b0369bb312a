using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs.Providers;

/// <summary>
/// Keeps what is known of each provider in the database: announces the configured ones at start, records what <see cref="ProviderHealth"/> has heard,
/// and asks providers that nobody calls any more whether they are back.
/// </summary>
public sealed class ProviderHealthMonitor(WorkerDatabase database, VideoProviders providers, ProviderHealth health, ILogger<ProviderHealthMonitor> logger)
    : PeriodicWork(logger),
        IBeforeReady
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var named = await database.ListAsync<string>("select provider from list_catalog_providers()", cancellationToken);
        foreach (var name in named.Union(providers.All.Select(provider => provider.Name)))
        {
            var provider = providers.Find(name);
            await database.ExecuteAsync(
                "select announce_provider($1, $2, $3, $4)",
                cancellationToken,
                name,
                provider is not null,
                provider?.Options.OutageSeconds ?? 0,
                string.IsNullOrWhiteSpace(provider?.Options.DisplayName) ? null : provider.Options.DisplayName
            );
        }
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.Zero;

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        await health.RecordReportsAsync(PollInterval, stoppingToken);
        foreach (var name in await database.ListAsync<string>("select provider from list_failing_providers()", stoppingToken))
        {
            await TryAsync($"probe {name}", () => ProbeAsync(name, stoppingToken), stoppingToken);
        }
    }

    private async Task ProbeAsync(string name, CancellationToken stoppingToken)
    {
        if (providers.Find(name) is not { } provider)
        {
            return;
        }
        health.ExpectAnswer(name);
        var outcome = await provider.ProbeAsync(stoppingToken);
        if (outcome.IsUp)
        {
            await health.ProbeSucceededAsync(name, stoppingToken);
        }
        else
        {
            await health.ProbeFailedAsync(provider, outcome, stoppingToken);
        }
    }
}

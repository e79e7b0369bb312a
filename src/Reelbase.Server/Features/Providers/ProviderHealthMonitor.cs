using System.Collections.Concurrent;
using System.Threading.Channels;
using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Providers;

/// <summary>
/// Keeps what is known of each provider in the database: announces the configured ones at start, records outages and their ends,
/// and asks providers that nobody calls any more whether they are back.
/// </summary>
public sealed class ProviderHealthMonitor(WorkerDatabase database, IServiceProvider services, OutsideSystems outside, ILogger<ProviderHealthMonitor> logger)
    : PeriodicWork(logger),
        IProviderHealthListener
{
    private const int MaxPendingReports = 1000;
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly Channel<Report> _reports = Channel.CreateBounded<Report>(
        new BoundedChannelOptions(MaxPendingReports) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true }
    );

    /// <summary>Providers that this process believes to be failing; only their answers are news.</summary>
    private readonly ConcurrentDictionary<string, bool> _failing = new(StringComparer.Ordinal);

    // Made when first needed: the adapters hold this watch, and this watch probes the adapters.
    private VideoProviders Providers => services.GetRequiredService<VideoProviders>();

    /// <inheritdoc/>
    public void Answered(string provider)
    {
        if (_failing.ContainsKey(provider))
        {
            _reports.Writer.TryWrite(new(provider, null, "", 0));
        }
    }

    /// <inheritdoc/>
    public void CircuitOpened(string provider, double pauseSeconds)
    {
        _failing[provider] = true;
        _reports.Writer.TryWrite(new(provider, "unreachable", "its circuit opened", pauseSeconds));
    }

    /// <inheritdoc/>
    public void Attempted(string provider, string? fault)
    {
        if (fault is null)
        {
            outside.Heard(provider);
        }
        else
        {
            outside.Failed(provider, fault);
        }
    }

    /// <summary>The provider refused our account: submissions pause, and the operator is told.</summary>
    public async Task AccountRefusedAsync(IVideoProvider provider, string reason)
    {
        _failing[provider.Name] = true;
        await RecordAsync(new(provider.Name, "account", reason, provider.Options.AccountPauseSeconds), CancellationToken.None);
    }

    /// <summary>The provider accepted a job: whatever was wrong is over.</summary>
    public async Task AcceptedAsync(string provider)
    {
        if (_failing.TryRemove(provider, out _))
        {
            await EndedAsync(provider, "submission", CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var named = await database.ListAsync<string>("select provider from list_catalog_providers()", cancellationToken);
        foreach (var name in named.Union(Providers.All.Select(provider => provider.Name)))
        {
            var provider = Providers.Find(name);
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
        await ReadReportsAsync(stoppingToken);
        foreach (var name in await database.ListAsync<string>("select provider from list_failing_providers()", stoppingToken))
        {
            await TryAsync($"probe {name}", () => ProbeAsync(name, stoppingToken), stoppingToken);
        }
    }

    /// <summary>Records what is reported until it is time to look again.</summary>
    private async Task ReadReportsAsync(CancellationToken stoppingToken)
    {
        using var pause = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        pause.CancelAfter(Look);
        try
        {
            while (await _reports.Reader.WaitToReadAsync(pause.Token))
            {
                while (_reports.Reader.TryRead(out var report))
                {
                    await RecordAsync(report, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            // Time to look.
        }
    }

    private async Task ProbeAsync(string name, CancellationToken stoppingToken)
    {
        if (Providers.Find(name) is not { } provider)
        {
            return;
        }
        _failing[name] = true;
        var outcome = await provider.ProbeAsync(stoppingToken);
        if (outcome.IsUp)
        {
            _failing.TryRemove(name, out _);
            await EndedAsync(name, "probe", stoppingToken);
        }
        else
        {
            var pause = outcome.IsOurFault ? provider.Options.AccountPauseSeconds : provider.Options.BreakerPauseSeconds;
            await RecordAsync(new(name, outcome.IsOurFault ? "account" : "unreachable", outcome.Detail, pause), stoppingToken);
        }
    }

    private async Task RecordAsync(Report report, CancellationToken cancellationToken)
    {
        if (report.Fault is null)
        {
            await EndedAsync(report.Provider, "answer", cancellationToken);
            return;
        }
        var isNews = await database.ScalarAsync<bool>(
            "select record_provider_fault($1, $2, $3, $4)",
            cancellationToken,
            report.Provider,
            report.Fault,
            report.Detail,
            report.PauseSeconds
        );
        if (isNews)
        {
            logger.LogCritical(
                "{Provider} is failing ({Fault}: {Detail}); submissions to it pause and jobs wait until their deadline",
                report.Provider,
                report.Fault,
                report.Detail
            );
        }
    }

    private async Task EndedAsync(string provider, string evidence, CancellationToken cancellationToken)
    {
        if (await database.ScalarAsync<bool>("select record_provider_answer($1, $2)", cancellationToken, provider, evidence))
        {
            _failing.TryRemove(provider, out _);
            logger.LogWarning("{Provider} works again", provider);
        }
    }

    private sealed record Report(string Provider, string? Fault, string Detail, double PauseSeconds);
}

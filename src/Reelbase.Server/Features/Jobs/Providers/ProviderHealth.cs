using System.Collections.Concurrent;
using System.Threading.Channels;
using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Jobs.Providers;

/// <summary>
/// What this process learns of providers while it calls them, and records in the database: outages and their ends. Adapters report to it and it knows none of
/// them; <see cref="ProviderHealthMonitor"/> is who asks them.
/// </summary>
public sealed class ProviderHealth(WorkerDatabase database, OutsideSystems outside, ILogger<ProviderHealth> logger) : IProviderHealthListener
{
    private const int MaxPendingReports = 1000;

    private readonly Channel<Report> _reports = Channel.CreateBounded<Report>(
        new BoundedChannelOptions(MaxPendingReports) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true }
    );

    /// <summary>Providers that this process believes to be failing; only their answers are news.</summary>
    private readonly ConcurrentDictionary<string, bool> _failing = new(StringComparer.Ordinal);

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

    /// <summary>The provider refused our account: submissions pause, and the operator is notified.</summary>
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

    /// <summary>A probe found it working.</summary>
    public async Task ProbeSucceededAsync(string provider, CancellationToken cancellationToken)
    {
        _failing.TryRemove(provider, out _);
        await EndedAsync(provider, "probe", cancellationToken);
    }

    /// <summary>A probe found it failing.</summary>
    public Task ProbeFailedAsync(IVideoProvider provider, ProbeOutcome outcome, CancellationToken cancellationToken)
    {
        var pause = outcome.IsOurFault ? provider.Options.AccountPauseSeconds : provider.Options.BreakerPauseSeconds;
        return RecordAsync(new(provider.Name, outcome.IsOurFault ? "account" : "unreachable", outcome.Detail, pause), cancellationToken);
    }

    /// <summary>The database says that it is failing: its next answer is news.</summary>
    public void ExpectAnswer(string provider) => _failing[provider] = true;

    /// <summary>Records what is reported for a while.</summary>
    public async Task RecordReportsAsync(TimeSpan time, CancellationToken stoppingToken)
    {
        using var pause = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        pause.CancelAfter(time);
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
            // The time is over.
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

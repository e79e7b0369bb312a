using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Accounts.Ages;

/// <summary>Writes at start what holds of each age band to where presses are decided, before anybody is served.</summary>
public sealed class AgePolicies(ApiDatabase database, IOptions<AgesOptions> options, ILogger<AgePolicies> logger) : PeriodicWork(logger), IBeforeReady
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private bool _isWritten;

    /// <inheritdoc/>
    protected override TimeSpan Pause => Minute;

    /// <inheritdoc/>
    protected override bool BeginsWithPause => true;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RunOnceAsync(cancellationToken);
        }
        catch (NpgsqlException error)
        {
            // What was written before holds, and the next round writes.
            logger.LogWarning(error, "The policies of age bands could not be written at start");
        }
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        if (_isWritten)
        {
            return;
        }
        var policies = options.Value.Policies();
        await database.ExecuteAsync("select announce_age_policies($1::jsonb)", stoppingToken, JsonSerializer.Serialize(policies, Json.Options));
        _isWritten = true;
        logger.LogInformation("Age bands: {Policies}", string.Join(", ", policies.Select(policy => $"{policy.Key} {policy.Value}")));
    }
}

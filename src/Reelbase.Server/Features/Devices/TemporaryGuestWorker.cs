using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Devices;

/// <summary>Asks Apple again about the tokens that opened temporary guests while it was away, and merges those guests into their devices' guests.</summary>
public sealed class TemporaryGuestWorker(
    WorkerDatabase database,
    DeviceCheckClient apple,
    ChangeFeed feed,
    IOptions<DevicesOptions> options,
    IOptions<WorkOptions> work,
    ILogger<TemporaryGuestWorker> logger
) : PeriodicWork(logger)
{
    private readonly ILogger _logger = logger;

    /// <summary>Wakes the worker when a temporary guest was opened.</summary>
    public const string Topic = "work:temporary_guests";

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromMilliseconds(work.Value.IdleMilliseconds);

    /// <inheritdoc/>
    protected override ChangeFeed.Subscription? Wake => feed.Subscribe(Topic);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested && await AskNextAsync()) { }
    }

    // A question that has begun is carried through; breaking it off would only make others wait for its lease.
    private async Task<bool> AskNextAsync()
    {
        var claimToken = $"worker/{Environment.ProcessId}/{Guid.NewGuid():N}";
        var guest = await database.QuerySingleOrDefaultAsync<ClaimedGuest>(
            "select * from claim_temporary_guest($1, $2)",
            CancellationToken.None,
            claimToken,
            options.Value.TurnSeconds
        );
        if (guest is null)
        {
            return false;
        }
        var verdict = await DeviceQuestions.ValidateAsync(apple, guest.DeviceToken, options.Value.TurnSeconds - 1, _logger);
        var account = await database.ScalarAsync<Guid?>(
            "select settle_temporary_guest($1, $2, $3, $4, $5, $6)",
            CancellationToken.None,
            guest.UserId,
            guest.QuestionId,
            claimToken,
            verdict,
            Backoff.Seconds(guest.Attempt, 2, 30),
            options.Value.MaxAttempts
        );
        if (account is { } known)
        {
            // Streams that either of them has open check again who they are.
            feed.Publish(CallerResolver.TopicOf(guest.UserId));
            feed.Publish(CallerResolver.TopicOf(known));
        }
        return true;
    }

    private sealed record ClaimedGuest(Guid UserId, Guid QuestionId, string DeviceToken, int Attempt);
}

using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Sessions.SignIn;

/// <summary>A stored event that is due.</summary>
public sealed record ClaimedAccountEvent(long Id, string EventType, string? Payload, int Attempt) : IClaimed
{
    /// <inheritdoc/>
    public string ClaimToken { get; set; } = "";
}

/// <summary>Carries out what Apple said about Apple accounts.</summary>
public sealed class AppleAccountEventWorker(WorkerDatabase database, ChangeFeed feed, IOptions<WorkOptions> options, ILogger<AppleAccountEventWorker> logger)
    : TableLoop<ClaimedAccountEvent>(database, feed, options, logger)
{
    /// <summary>Wakes this loop.</summary>
    public const string WakeTopic = "work:apple_account";

    private const int MaxRetries = 20;
    private const double RetryBaseSeconds = 1;
    private const double RetryCapSeconds = 600;

    /// <inheritdoc/>
    protected override string Work => "inbox_messages";

    /// <inheritdoc/>
    protected override string KeyOf(ClaimedAccountEvent item) => item.Id.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    protected override string Topic => WakeTopic;

    /// <inheritdoc/>
    protected override Task<List<ClaimedAccountEvent>> ClaimAsync(string claimToken, int limit, CancellationToken cancellationToken) =>
        Database.ListAsync<ClaimedAccountEvent>(
            "select * from claim_inbox_messages('apple_account', $1, $2, $3, $4)",
            cancellationToken,
            claimToken,
            LeaseSeconds,
            limit,
            MaxRetries + 1
        );

    /// <inheritdoc/>
    protected override async Task HandleAsync(ClaimedAccountEvent item, CancellationToken cancellationToken)
    {
        Guid? userId = null;
        string? remark = null;
        double? retryAfterSeconds = null;
        try
        {
            if (item.Payload is { } payload)
            {
                using var document = JsonDocument.Parse(payload);
                userId = await Database.ScalarAsync<Guid?>(
                    "select apply_account_event($1, $2, $3)",
                    cancellationToken,
                    item.EventType,
                    document.RootElement.GetProperty("sub").GetString(),
                    document.RootElement.GetProperty("at").GetDateTimeOffset().UtcDateTime
                );
                remark = userId is null ? "no account has this Apple account" : null;
            }
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            remark = "it could not be carried out: " + error.GetType().Name;
            retryAfterSeconds = Backoff.Seconds(item.Attempt, RetryBaseSeconds, RetryCapSeconds);
        }
        await Database.ExecuteAsync(
            "select finish_inbox_message($1, $2, $3::uuid, $4, $5::double precision, $6)",
            CancellationToken.None,
            item.Id,
            item.ClaimToken,
            userId,
            remark,
            retryAfterSeconds,
            MaxRetries
        );
    }
}

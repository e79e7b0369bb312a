using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.SignIn;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Sessions.SignIn;

/// <summary>A code to be exchanged, or a token to be revoked.</summary>
public sealed record ClaimedAuthorization(long Id, string ClientId, string Stage, byte[] Secret, int Attempt) : IClaimed
{
    /// <inheritdoc/>
    public string ClaimToken { get; set; } = "";
}

/// <summary>Exchanges Apple's codes while they live, and takes Apple's permission back when an account has been deleted.</summary>
public sealed class AppleAuthorizationWorker(
    WorkerDatabase database,
    AppleSignInClient apple,
    Keys keys,
    ChangeFeed feed,
    IOptions<AppleSignInOptions> signIn,
    IOptions<WorkOptions> options,
    ILogger<AppleAuthorizationWorker> logger
) : TableLoop<ClaimedAuthorization>(database, feed, options, logger)
{
    /// <summary>Wakes this loop.</summary>
    public const string WakeTopic = "work:apple_authorizations";

    private readonly SecretBox _box = new(keys, AppleAuthorizations.Purpose);

    /// <inheritdoc/>
    protected override string Work => "apple_authorizations";

    /// <inheritdoc/>
    protected override string KeyOf(ClaimedAuthorization item) => item.Id.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    protected override string Topic => WakeTopic;

    /// <inheritdoc/>
    protected override Task<List<ClaimedAuthorization>> ClaimAsync(string claimToken, int limit, CancellationToken cancellationToken) =>
        Database.ListAsync<ClaimedAuthorization>(
            "select * from claim_apple_authorizations($1, $2, $3, $4)",
            cancellationToken,
            claimToken,
            LeaseSeconds,
            limit,
            signIn.Value.MaxAttempts
        );

    /// <inheritdoc/>
    protected override async Task HandleAsync(ClaimedAuthorization item, CancellationToken cancellationToken)
    {
        if (_box.Open(item.Secret) is not { } secret)
        {
            await RecordAsync(item, "lost", null, "it was encrypted under another Security:TokenSecret", null);
            return;
        }
        var answer =
            item.Stage == "code"
                ? await apple.ExchangeAsync(item.ClientId, secret, cancellationToken)
                : await apple.RevokeAsync(item.ClientId, secret, cancellationToken);
        switch (answer)
        {
            case AppleTokenResponse.Exchanged exchanged:
                await RecordAsync(item, "held", _box.Seal(exchanged.RefreshToken), null, null);
                break;
            case AppleTokenResponse.Revoked:
                await RecordAsync(item, "revoked", null, null, null);
                break;
            case AppleTokenResponse.Invalid invalid:
                // Used, or older than five minutes: nothing that a repetition could change.
                await RecordAsync(item, item.Stage == "code" ? "lost" : "revoked", null, invalid.Reason, null);
                break;
            case AppleTokenResponse.Unavailable away when item.Attempt >= signIn.Value.MaxAttempts:
                if (item.Stage == "code")
                {
                    // It has died of age long ago, and with it what could be done.
                    await RecordAsync(item, "lost", null, away.Reason, null);
                }
                else
                {
                    // A permission that was not taken back is a promise to a user: it stays for an operator.
                    await GiveUpAsync(item, $"Apple could not be asked: {away.Reason}");
                }
                break;
            case AppleTokenResponse.Unavailable away:
                await RecordAsync(item, "later", null, away.Reason, Backoff.Seconds(item.Attempt, signIn.Value.RetryBaseSeconds, signIn.Value.RetryCapSeconds));
                break;
        }
    }

    private async Task RecordAsync(ClaimedAuthorization item, string outcome, byte[]? secret, string? error, double? retryAfterSeconds) =>
        // An exchanged code is gone, so what came of it may not be forgotten because the database was away for a moment.
        await Database.RecordAsync<object>(
            "select record_apple_authorization($1, $2, $3, $4::bytea, $5, $6::double precision)",
            item.Id,
            item.ClaimToken,
            outcome,
            secret,
            error,
            retryAfterSeconds
        );
}

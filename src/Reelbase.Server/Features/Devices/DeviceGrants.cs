using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Devices;

/// <summary>A grant whose turn it is.</summary>
public sealed record ClaimedGrant(
    Guid Id,
    Guid UserId,
    string DeviceId,
    string? DeviceToken,
    string Stage,
    bool? Bit0,
    bool? Bit1,
    int Attempt,
    string Purpose,
    bool? Bit1Wanted
);

/// <summary>How deciding a grant ended.</summary>
public enum GrantResult
{
    /// <summary>Granted or denied: Apple has answered.</summary>
    Decided,

    /// <summary>Apple could not be asked, or somebody else's turn lasted too long: later.</summary>
    Later,

    /// <summary>Apple refuses the token, and the guest made for it is gone again.</summary>
    Refused,

    /// <summary>Apple's second bit marks this phone: its user was banned.</summary>
    Banned,
}

/// <summary>
/// Decides grants, one at a time for the whole installation: ask Apple, store the answer, set the bit, grant. Each step is
/// recorded before the next, so whoever finds a grant half done knows how to finish it.
/// </summary>
public sealed class DeviceGrants(RoleDatabase database, DeviceCheckClient apple, IOptions<DevicesOptions> options, string worker, ILogger logger)
{
    /// <summary>Takes the turn for one grant (or, for null, any that is due) if it is free, and carries it as far as it goes.</summary>
    /// <returns>The grant that was worked on and its result; null when it was not our turn or nothing is due.</returns>
    public async Task<(Guid GrantId, GrantResult Result)?> TakeTurnAsync(Guid? grantId, CancellationToken cancellationToken)
    {
        // A claim token and not a name: what this claim learned must not count for a later one of the same process.
        var claimToken = $"{worker}/{Guid.NewGuid():N}";
        var grant = await database.QuerySingleOrDefaultAsync<ClaimedGrant>(
            "select * from claim_device_grant($1, $2, $3::uuid, $4)",
            cancellationToken,
            claimToken,
            options.Value.TurnSeconds,
            grantId,
            options.Value.MaxClaims
        );
        if (grant is null)
        {
            return null;
        }
        try
        {
            return (grant.Id, await DecideAsync(grant, claimToken, cancellationToken));
        }
        catch (Exception error)
        {
            // Nobody else may have to wait for the end of a turn that failed; when this cannot be recorded either, its lease ends it.
            logger.LogError(error, "The grant {GrantId} could not be decided; it is tried again later", grant.Id);
            return (grant.Id, await PostponeAsync(grant, claimToken, error.GetType().Name));
        }
    }

    private async Task<GrantResult> DecideAsync(ClaimedGrant grant, string claimToken, CancellationToken cancellationToken)
    {
        if (grant.Purpose == "mark")
        {
            return await MarkAsync(grant, claimToken, cancellationToken);
        }
        var stage = grant.Stage;
        var bit1 = grant.Bit1 ?? false;
        if (stage == "requested")
        {
            switch (await apple.QueryAsync(grant.DeviceToken!, cancellationToken))
            {
                case DeviceResponse.Bits bits:
                    bit1 = bits.Bit1;
                    stage =
                        await database.ScalarAsync<string>(
                            "select record_device_answer($1, $2, $3, $4)",
                            cancellationToken,
                            grant.Id,
                            claimToken,
                            bits.Bit0,
                            bits.Bit1
                        ) ?? "lost";
                    break;
                case DeviceResponse.BadToken:
                    var isGone = await database.ScalarAsync<bool>("select reject_device_grant($1, $2)", cancellationToken, grant.Id, claimToken);
                    return isGone || await IsRejectedAsync(grant.Id, cancellationToken) ? GrantResult.Refused : GrantResult.Later;
                case DeviceResponse.Unknown unknown:
                    return await PostponeAsync(grant, claimToken, unknown.Reason);
                default:
                    throw new InvalidOperationException("a query answers bits");
            }
        }
        if (stage == "banned")
        {
            return GrantResult.Banned;
        }
        string? flag = null;
        if (stage == "queried")
        {
            if (!await RenewAsync(claimToken, cancellationToken))
            {
                return GrantResult.Later;
            }
            switch (await apple.UpdateAsync(grant.DeviceToken!, bit0: true, bit1, cancellationToken))
            {
                case DeviceResponse.Stored:
                    var isRecorded = await database.ScalarAsync<bool>("select record_device_bit_set($1, $2)", cancellationToken, grant.Id, claimToken);
                    stage = isRecorded ? "bit_set" : "lost";
                    break;
                case DeviceResponse.BadToken:
                    // Only after a crash can the token be stale here. The stored answer says the grant is due; whether the bit was
                    // set before the crash cannot be learned, so the device is marked for support.
                    flag = "bit_unconfirmed";
                    stage = "bit_set";
                    break;
                default:
                    return await PostponeAsync(grant, claimToken, "the bit could not be set");
            }
        }
        if (stage == "bit_set")
        {
            var isGranted = await database.ScalarAsync<bool>(
                "select grant_initial_credits($1, $2, $3, $4)",
                cancellationToken,
                grant.Id,
                claimToken,
                options.Value.InitialGrantCredits,
                flag
            );
            stage = isGranted ? "granted" : "lost";
        }
        return stage == "lost" ? GrantResult.Later : GrantResult.Decided;
    }

    /// <summary>A guest of an earlier call stays although this token was refused; whoever sent it is refused all the same. False when the turn was lost.</summary>
    private async Task<bool> IsRejectedAsync(Guid grantId, CancellationToken cancellationToken) =>
        await database.ScalarAsync<string?>("select stage from get_device_grant($1)", cancellationToken, grantId) == "rejected";

    /// <summary>Brings the phone's second bit to what our ban says; the first one stays as it is. Setting a bit twice is setting it once, so no step of it needs a record of its own.</summary>
    private async Task<GrantResult> MarkAsync(ClaimedGrant grant, string claimToken, CancellationToken cancellationToken)
    {
        var answer = await apple.QueryAsync(grant.DeviceToken!, cancellationToken);
        bool? bit0 = null;
        if (answer is DeviceResponse.Bits bits)
        {
            bit0 = bits.Bit0;
            if (!await RenewAsync(claimToken, cancellationToken))
            {
                return GrantResult.Later;
            }
            answer = await apple.UpdateAsync(grant.DeviceToken!, bits.Bit0, grant.Bit1Wanted ?? false, cancellationToken);
        }
        if (answer is DeviceResponse.Unknown unknown)
        {
            return await PostponeAsync(grant, claimToken, unknown.Reason);
        }
        await database.ExecuteAsync(
            "select finish_device_mark($1, $2, $3::boolean)",
            CancellationToken.None,
            grant.Id,
            claimToken,
            answer is DeviceResponse.Stored ? bit0 : null
        );
        return GrantResult.Decided;
    }

    /// <summary>Asked before each change at Apple, which cannot be fenced: a process that was frozen past its turn changes nothing there.</summary>
    private Task<bool> RenewAsync(string claimToken, CancellationToken cancellationToken) =>
        database.ScalarAsync<bool>("select renew_device_grant_turn($1, $2)", cancellationToken, claimToken, options.Value.TurnSeconds);

    private async Task<GrantResult> PostponeAsync(ClaimedGrant grant, string claimToken, string reason)
    {
        // Also when the caller has gone: the turn must not stay taken until its lease runs out.
        await database.ExecuteAsync(
            "select postpone_device_grant($1, $2, $3, $4, $5)",
            CancellationToken.None,
            grant.Id,
            claimToken,
            reason,
            Backoff.Seconds(grant.Attempt, 2, 30),
            options.Value.MaxAttempts
        );
        return GrantResult.Later;
    }
}

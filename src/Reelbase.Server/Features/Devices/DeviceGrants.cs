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
public sealed class DeviceGrants(RoleDatabase database, DeviceCheckClient apple, IOptions<DevicesOptions> options, string worker)
{
    /// <summary>Takes the turn for one grant (or, for null, any that is due) if it is free, and carries it as far as it goes.</summary>
    /// <returns>The grant that was worked on and its result; null when it was not our turn or nothing is due.</returns>
    public async Task<(Guid GrantId, GrantResult Result)?> TakeTurnAsync(Guid? grantId, CancellationToken cancellationToken)
    {
        var holder = $"{worker}/{Guid.NewGuid():N}";
        var grant = await database.OneOrNoneAsync<ClaimedGrant>(
            "select * from claim_device_grant($1, $2, $3::uuid)",
            cancellationToken,
            holder,
            options.Value.TurnSeconds,
            grantId
        );
        return grant is null ? null : (grant.Id, await DecideAsync(grant, holder, cancellationToken));
    }

    private async Task<GrantResult> DecideAsync(ClaimedGrant grant, string holder, CancellationToken cancellationToken)
    {
        if (grant.Purpose == "mark")
        {
            return await MarkAsync(grant, holder, cancellationToken);
        }
        var stage = grant.Stage;
        var bit1 = grant.Bit1 ?? false;
        if (stage == "requested")
        {
            switch (await apple.QueryAsync(grant.DeviceToken!, cancellationToken))
            {
                case DeviceAnswer.Bits bits:
                    bit1 = bits.Bit1;
                    stage =
                        await database.ScalarAsync<string>(
                            "select record_device_answer($1, $2, $3, $4)",
                            cancellationToken,
                            grant.Id,
                            holder,
                            bits.Bit0,
                            bits.Bit1
                        ) ?? "lost";
                    break;
                case DeviceAnswer.BadToken:
                    var isGone = await database.ScalarAsync<bool>("select reject_device_grant($1, $2)", cancellationToken, grant.Id, holder);
                    return isGone ? GrantResult.Refused : GrantResult.Later;
                case DeviceAnswer.Unknown unknown:
                    return await PostponeAsync(grant, holder, unknown.Reason);
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
            switch (await apple.UpdateAsync(grant.DeviceToken!, bit0: true, bit1, cancellationToken))
            {
                case DeviceAnswer.Stored:
                    await database.ExecuteAsync("select record_device_bit_set($1, $2)", cancellationToken, grant.Id, holder);
                    stage = "bit_set";
                    break;
                case DeviceAnswer.BadToken:
                    // Only after a crash can the token be stale here. The stored answer says the grant is due; whether the bit was
                    // set before the crash cannot be learned, so the device is marked for support.
                    flag = "bit_unconfirmed";
                    stage = "bit_set";
                    break;
                default:
                    return await PostponeAsync(grant, holder, "the bit could not be set");
            }
        }
        if (stage == "bit_set")
        {
            await database.ExecuteAsync(
                "select grant_initial_credits($1, $2, $3, $4)",
                cancellationToken,
                grant.Id,
                holder,
                options.Value.InitialGrantCredits,
                flag
            );
        }
        return stage == "lost" ? GrantResult.Later : GrantResult.Decided;
    }

    /// <summary>Brings the phone's second bit to what our ban says; the first one stays as it is. Setting a bit twice is setting it once, so no step of it needs a record of its own.</summary>
    private async Task<GrantResult> MarkAsync(ClaimedGrant grant, string holder, CancellationToken cancellationToken)
    {
        var answer = await apple.QueryAsync(grant.DeviceToken!, cancellationToken);
        bool? bit0 = null;
        if (answer is DeviceAnswer.Bits bits)
        {
            bit0 = bits.Bit0;
            answer = await apple.UpdateAsync(grant.DeviceToken!, bits.Bit0, grant.Bit1Wanted ?? false, cancellationToken);
        }
        if (answer is DeviceAnswer.Unknown unknown)
        {
            return await PostponeAsync(grant, holder, unknown.Reason);
        }
        await database.ExecuteAsync(
            "select finish_device_mark($1, $2, $3::boolean)",
            CancellationToken.None,
            grant.Id,
            holder,
            answer is DeviceAnswer.Stored ? bit0 : null
        );
        return GrantResult.Decided;
    }

    private async Task<GrantResult> PostponeAsync(ClaimedGrant grant, string holder, string reason)
    {
        // Also when the caller has gone: the turn must not stay taken until its lease runs out.
        await database.ExecuteAsync(
            "select postpone_device_grant($1, $2, $3, $4, $5)",
            CancellationToken.None,
            grant.Id,
            holder,
            reason,
            Backoff.Seconds(grant.Attempt, 2, 30),
            options.Value.MaxAttempts
        );
        return GrantResult.Later;
    }
}

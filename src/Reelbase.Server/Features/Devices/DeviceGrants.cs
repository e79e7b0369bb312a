using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Devices;

/// <summary>A grant whose turn it is.</summary>
public sealed record ClaimedGrant(Guid Id, Guid UserId, string DeviceId, string? DeviceToken, string Stage, bool? Bit0, bool? Bit1, int Attempt);

/// <summary>How deciding a grant ended.</summary>
public enum GrantResult
{
    /// <summary>Granted or denied: Apple has answered.</summary>
    Decided,

    /// <summary>Apple could not be asked, or somebody else's turn lasted too long: later.</summary>
    Later,

    /// <summary>Apple refuses the token, and the guest made for it is gone again.</summary>
    Refused,
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

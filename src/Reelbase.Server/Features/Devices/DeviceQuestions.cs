using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Devices;

/// <summary>What is known about the token of a device-check before anybody is opened.</summary>
public enum DeviceVerdict
{
    /// <summary>Nobody asked: the device is not known, and its grant asks.</summary>
    NotAsked,

    /// <summary>Apple says that it is the token of a real device.</summary>
    Accepted,

    /// <summary>Apple says that it is none.</summary>
    Refused,

    /// <summary>Apple could not be heard, or was asked too often.</summary>
    Unverified,
}

/// <summary>A verdict, and whether the question for it was counted: only such a token may be asked about again later.</summary>
public readonly record struct DeviceProof(DeviceVerdict Verdict, bool IsCounted = false);

/// <summary>
/// Asks Apple about the token of a known device, outside of the grant's turn: one question in flight for an id over all nodes, a few an hour for an id and
/// address, and each answer kept for minutes. No connection is held while Apple thinks.
/// </summary>
public sealed class DeviceQuestions(RoleDatabase database, DeviceCheckClient apple, DevicesOptions options, string worker, ILogger logger)
{
    private const int MaxWaitingForDevice = 8;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(320);
    private static readonly Meter Meter = new("Reelbase.Devices");
    private static readonly Counter<long> Verdicts = Meter.CreateCounter<long>(
        "reelbase.device.verdicts",
        "{verdict}",
        "Tokens of known devices by what came of them: accepted, refused, unknown (Apple could not be heard), busy and over (nobody was asked)"
    );

    private readonly ConcurrentDictionary<string, int> _waiting = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>What Apple says of a token, or what is known of it already.</summary>
    /// <param name="deviceId">The app's own identifier.</param>
    /// <param name="token">DeviceCheck's.</param>
    /// <param name="beginAsync">Asks the database under a claim token whether Apple has to be asked; again while somebody else is asking.</param>
    /// <param name="cancellationToken">The caller's.</param>
    internal async Task<DeviceProof> AskAsync(string deviceId, string token, Func<string, Task<DeviceQuestion>> beginAsync, CancellationToken cancellationToken)
    {
        var deadline = DateTime.UtcNow.AddSeconds(options.MaxWaitSeconds);
        var isWaiting = false;
        try
        {
            for (var pause = FirstPause; ; pause = pause < LongestPause ? 2 * pause : pause)
            {
                var claimToken = $"{worker}/{Guid.NewGuid():N}";
                var question = await beginAsync(claimToken);
                switch (question.Outcome)
                {
                    case "none":
                        return new(DeviceVerdict.NotAsked);
                    case "accepted":
                        return new(DeviceVerdict.Accepted);
                    case "refused":
                        return new(DeviceVerdict.Refused);
                    case "ask":
                        return await PutAsync(question.QuestionId!.Value, claimToken, token);
                    case "busy" when DateTime.UtcNow < deadline && (isWaiting || (isWaiting = TryWait(deviceId))):
                        await Task.Delay(pause, cancellationToken);
                        break;
                    default:
                        Count(question.Outcome);
                        return new(DeviceVerdict.Unverified);
                }
            }
        }
        finally
        {
            if (isWaiting)
            {
                StopWaiting(deviceId);
            }
        }
    }

    /// <summary>Asks Apple whether a token is one of a real device, and counts the answer.</summary>
    /// <returns><c>accepted</c>, <c>refused</c> or <c>unknown</c>.</returns>
    internal static async Task<string> ValidateAsync(DeviceCheckClient apple, string token, int maxSeconds, ILogger logger)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(maxSeconds));
        string verdict;
        try
        {
            verdict = await apple.ValidateAsync(token, limit.Token) switch
            {
                DeviceResponse.Stored => "accepted",
                DeviceResponse.BadToken => "refused",
                _ => "unknown",
            };
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            verdict = "unknown";
        }
        catch (Exception error)
        {
            // A key that cannot be read, say: nobody is refused for it, and nobody is let in.
            logger.LogError(error, "Apple could not be asked about a device's token");
            verdict = "unknown";
        }
        Count(verdict);
        return verdict;
    }

    /// <summary>Once begun, a question is carried through although the phone may have hung up: others wait for its answer.</summary>
    private async Task<DeviceProof> PutAsync(Guid questionId, string claimToken, string token)
    {
        var verdict = await ValidateAsync(apple, token, options.TurnSeconds - 1, logger);
        var isRecorded = await database.ScalarAsync<bool>("select record_device_verdict($1, $2, $3)", CancellationToken.None, questionId, claimToken, verdict);
        return verdict switch
        {
            "accepted" when isRecorded => new(DeviceVerdict.Accepted),
            "refused" when isRecorded => new(DeviceVerdict.Refused),
            _ => new(DeviceVerdict.Unverified, IsCounted: true),
        };
    }

    private static void Count(string verdict) => Verdicts.Add(1, new KeyValuePair<string, object?>("verdict", verdict));

    /// <summary>A phone sends three requests, not hundreds: whoever comes over that is not kept waiting.</summary>
    private bool TryWait(string deviceId)
    {
        if (_waiting.AddOrUpdate(deviceId, 1, (_, count) => count + 1) <= MaxWaitingForDevice)
        {
            return true;
        }
        StopWaiting(deviceId);
        return false;
    }

    private void StopWaiting(string deviceId)
    {
        if (_waiting.AddOrUpdate(deviceId, 0, (_, count) => count - 1) <= 0)
        {
            _waiting.TryRemove(new KeyValuePair<string, int>(deviceId, 0));
        }
    }
}

/// <summary>What the database says of a question about a device's token: an outcome of <c>begin_device_question</c>, and the question that is this caller's to ask.</summary>
internal readonly record struct DeviceQuestion(string Outcome, Guid? QuestionId);

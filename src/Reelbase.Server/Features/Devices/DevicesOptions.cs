using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Features.Devices;

/// <summary>Section <c>Devices</c>: onboarding and the free grant.</summary>
public sealed class DevicesOptions
{
    /// <summary>Credits that a physical device gets once.</summary>
    [Range(1, 1000)]
    public int InitialGrantCredits { get; set; } = 10;

    /// <summary>New devices that one address may bring per window; known devices are never refused by a limit. Negative: unlimited.</summary>
    [Range(-1, 1_000_000)]
    public int NewDevicesPerWindow { get; set; } = 60;

    /// <summary>Length of that window.</summary>
    [Range(1, 86_400)]
    public int WindowSeconds { get; set; } = 3600;

    /// <summary>Questions to Apple about the token of a known device, for a device id and address per window; over it the phone gets a temporary guest. Negative: unlimited.</summary>
    [Range(-1, 1_000_000)]
    public int QuestionsPerWindow { get; set; } = 10;

    /// <summary>Length of that window in seconds.</summary>
    [Range(1, 86_400)]
    public int QuestionWindowSeconds { get; set; } = 3600;

    /// <summary>Seconds for which Apple's answer about a token is kept, so that a phone that sends it again costs no second question.</summary>
    [Range(10, 3600)]
    public int VerdictSeconds { get; set; } = 600;

    /// <summary>Seconds that a request waits for its turn to ask Apple; after that the phone gets its session and the grant follows.</summary>
    [Range(0, 30)]
    public double MaxWaitSeconds { get; set; } = 5;

    /// <summary>Seconds that a turn may last; longer than the two calls to Apple that it makes.</summary>
    [Range(2, 120)]
    public int TurnSeconds { get; set; } = 15;

    /// <summary>Attempts to reach Apple with one token before the grant waits for the app's next device-check.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 8;

    /// <summary>Times that a grant may be claimed without coming to an end (a process that dies each time, say) before it is given up with an alert.</summary>
    [Range(2, 1000)]
    public int MaxClaims { get; set; } = 20;

    /// <summary>Risk score (0 to 100) from which an address may bring one new device per <see cref="ThrottleSeconds"/>. 101: never.</summary>
    [Range(1, 101)]
    public int ThrottleRiskScore { get; set; } = 40;

    /// <summary>Risk score from which a new device is refused. 101: never.</summary>
    [Range(1, 101)]
    public int BlockRiskScore { get; set; } = 80;

    /// <summary>Seconds between two new devices of a risky address.</summary>
    [Range(1, 86_400)]
    public int ThrottleSeconds { get; set; } = 60;

    /// <summary>The rules as SQL reads them.</summary>
    internal string RiskRules => $$"""{"throttle_score":{{ThrottleRiskScore}},"block_score":{{BlockRiskScore}},"throttle_seconds":{{ThrottleSeconds}}}""";
}

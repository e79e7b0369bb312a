using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace Reelbase.Server.Features.Purchases;

/// <summary>Section <c>Purchases</c>: what becomes of purchases, and how patiently Apple is asked.</summary>
public sealed class PurchasesOptions
{
    /// <summary>Whether sandbox purchases give credits. App Review buys in the sandbox with the production build, so review needs it.</summary>
    public bool AcceptSandbox { get; set; } = true;

    /// <summary>Credits that one user can get from sandbox purchases, ever; without it each active product twice.</summary>
    [Range(0, 100_000_000)]
    public int? SandboxCreditsPerUser { get; set; }

    /// <summary>Credits that all users together can get from sandbox purchases in a day (UTC); without it what ten such users can buy.</summary>
    [Range(0, 1_000_000_000)]
    public int? SandboxCreditsPerDay { get; set; }

    /// <summary>Seconds between polls for purchases whose product was entered after they were made.</summary>
    [Range(0.1, 3600)]
    public double WaitingPollSeconds { get; set; } = 5;

    /// <summary>Claims that fail which one user may make per window; good ones cost none. Negative: unlimited.</summary>
    [Range(-1, 1_000_000)]
    public int FailedClaimsPerWindow { get; set; } = 30;

    /// <summary>Length of that window.</summary>
    [Range(1, 86_400)]
    public int WindowSeconds { get; set; } = 3600;

    /// <summary>Claims of one user that wait for Apple at once.</summary>
    [Range(0, 1000)]
    public int MaxWaitingClaims { get; set; } = 20;

    /// <summary>Polls of a claim that Apple knows nothing of; about two hours in all with the pauses below.</summary>
    [Range(1, 1000)]
    public int MaxLooksUnknown { get; set; } = 11;

    /// <summary>Polls of a claim while Apple cannot be asked; days.</summary>
    [Range(1, 10_000)]
    public int MaxLooksUnavailable { get; set; } = 150;

    /// <summary>Further tries of handling a stored notification; a day with the pauses below. Then it is failed and waits for an operator.</summary>
    [Range(0, 1000)]
    public int MaxRetries { get; set; } = 35;

    /// <summary>First pause before another poll or retry; doubles.</summary>
    [Range(0.01, 60)]
    public double RetryBaseSeconds { get; set; } = 5;

    /// <summary>Longest such pause.</summary>
    [Range(0.01, 86_400)]
    public double RetryCapSeconds { get; set; } = 3600;

    /// <summary>The hour (UTC) of the nightly comparison with Apple's books.</summary>
    [Range(0, 23)]
    public int ReconcileAtHour { get; set; } = 3;

    /// <summary>Seconds between checks whether that comparison is due.</summary>
    [Range(0.1, 3600)]
    public double ReconcileLookSeconds { get; set; } = 60;

    /// <summary>Days that the first comparison goes back; Apple keeps 180.</summary>
    [Range(1, 180)]
    public int ReconcileFirstDays { get; set; } = 30;

    /// <summary>Buyers whose purchases one comparison checks; those not checked for longest come first.</summary>
    [Range(0, 10_000)]
    public int ReconcileMaxBuyers { get; set; } = 2000;

    /// <summary>Calls to Apple a second during it; Apple allows ten lookups of refunds.</summary>
    [Range(0.1, 1000)]
    public double ReconcileCallsPerSecond { get; set; } = 5;

    /// <summary>The policy as SQL reads it.</summary>
    internal string Policy =>
        JsonSerializer.Serialize(
            new
            {
                accept_sandbox = AcceptSandbox,
                sandbox_credits_per_user = SandboxCreditsPerUser,
                sandbox_credits_per_day = SandboxCreditsPerDay,
            }
        );
}

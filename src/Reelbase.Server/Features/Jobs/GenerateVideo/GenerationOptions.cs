using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>Section <c>Generation</c>: limits, deadlines and patience of the job path.</summary>
public sealed class GenerationOptions
{
    /// <summary>
    /// Dollars that a credit brings at the least: the price of the pack in which it is cheapest, less the store's share and taxes. What models bring is reckoned with
    /// it, and a job that costs more raises an alert; nobody is charged by it.
    /// </summary>
    [Range(0.0001, 1000)]
    public decimal DollarsPerCredit { get; set; } = 0.12m;

    /// <summary>Accepted generations that a guest has per window. Negative: unlimited; so for the other limits.</summary>
    [Range(-1, 1_000_000)]
    public int GuestPerWindow { get; set; } = 10;

    /// <summary>The same for a member.</summary>
    [Range(-1, 1_000_000)]
    public int MemberPerWindow { get; set; } = 20;

    /// <summary>The same for a premium user.</summary>
    [Range(-1, 1_000_000)]
    public int PremiumPerWindow { get; set; } = 100;

    /// <summary>Accepted generations of all guests behind one address; phones share addresses, so it is wide.</summary>
    [Range(-1, 1_000_000)]
    public int GuestsPerAddressPerWindow { get; set; } = 60;

    /// <summary>Length of the window.</summary>
    [Range(1, 86_400)]
    public int WindowSeconds { get; set; } = 3600;

    /// <summary>A charge that brings a balance below so many credits sends a push to the user's phones, once until the balance was there again. 0: none is sent.</summary>
    [Range(0, 1_000_000)]
    public int LowCreditsBelow { get; set; }

    /// <summary>How long a job may wait in its queue.</summary>
    [Range(1, 86_400)]
    public int QueueDeadlineSeconds { get; set; } = 30 * 60;

    /// <summary>How long a job may take from its submission.</summary>
    [Range(1, 86_400)]
    public int SubmissionDeadlineSeconds { get; set; } = 15 * 60;

    /// <summary>How long a submission whose fate is unknown waits when no webhook can come.</summary>
    [Range(1, 3600)]
    public int AmbiguousSeconds { get; set; } = 60;

    /// <summary>First poll of a submitted job when results come by polling.</summary>
    [Range(0.05, 600)]
    public double PollSeconds { get; set; } = 2;

    /// <summary>First poll of a submitted job when a webhook is expected and polling is the safety net.</summary>
    [Range(0.05, 600)]
    public double PollWithWebhookSeconds { get; set; } = 10;

    /// <summary>Polls never lie further apart than this.</summary>
    [Range(0.05, 600)]
    public double MaxPollSeconds { get; set; } = 30;

    /// <summary>First pause before a refused submission or a broken download is tried again; doubles.</summary>
    [Range(0.01, 60)]
    public double RetryBaseSeconds { get; set; } = 2;

    /// <summary>Longest such pause.</summary>
    [Range(0.01, 600)]
    public double RetryCapSeconds { get; set; } = 30;

    /// <summary>Downloads of one video that are tried before the job fails.</summary>
    [Range(1, 20)]
    public int MaxFetchAttempts { get; set; } = 4;

    /// <summary>Claims of one job in a row of which nothing was recorded (its worker died, its record was refused) before it is given up, refunded and alerted.</summary>
    [Range(2, 100)]
    public int MaxStalledClaims { get; set; } = 8;

    /// <summary>Days that videos are kept; 0 for ever. Also how long their addresses stay good.</summary>
    [Range(0, 3650)]
    public int RetentionDays { get; set; } = 7;
}

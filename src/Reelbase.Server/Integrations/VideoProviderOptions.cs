using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Integrations;

/// <summary>What can be set for every video provider.</summary>
public abstract class VideoProviderOptions
{
    /// <summary>The key of the account; without it the provider is off.</summary>
    public string? ApiKey { get; set; }

    /// <summary>The name that users read of whoever gets their prompts and pictures; without it the name of the provider in the catalogue.</summary>
    [MaxLength(100)]
    public string? DisplayName { get; set; }

    /// <summary>Jobs that the account may have running at once.</summary>
    [Range(1, 1000)]
    public int Concurrency { get; set; } = 2;

    /// <summary>Submissions to the provider that one node may have under way at once.</summary>
    [Range(1, 256)]
    public int MaxConcurrentSubmissions { get; set; } = 16;

    /// <summary>Jobs of the provider that one node may poll for at once.</summary>
    [Range(1, 256)]
    public int MaxConcurrentPolls { get; set; } = 16;

    /// <summary>Videos of the provider that one node may download at once.</summary>
    [Range(1, 256)]
    public int MaxConcurrentDownloads { get; set; } = 16;

    /// <summary>Jobs of the provider that one node may end, refund or rescue at once.</summary>
    [Range(1, 256)]
    public int MaxConcurrentSettlements { get; set; } = 16;

    /// <summary>Hosts, or parent domains of them, that finished videos may be fetched from.</summary>
    public string[] MediaHosts { get; set; } = [];

    /// <summary>Seconds until a submission without an answer is given up and called ambiguous.</summary>
    [Range(0.1, 120)]
    public double SubmitTimeoutSeconds { get; set; } = 30;

    /// <summary>Seconds until one attempt of any other call is given up.</summary>
    [Range(0.1, 120)]
    public double ReadTimeoutSeconds { get; set; } = 15;

    /// <summary>Seconds until any other call is given up with all its attempts.</summary>
    [Range(0.2, 600)]
    public double TotalTimeoutSeconds { get; set; } = 40;

    /// <summary>Further attempts of a call that is not a submission, on 408, 429, 500, 502, 503, 504 and broken connections.</summary>
    [Range(0, 10)]
    public int MaxRetries { get; set; } = 2;

    /// <summary>First pause between such attempts; doubles.</summary>
    [Range(0.001, 60)]
    public double RetryBaseSeconds { get; set; } = 2;

    /// <summary>Longest such pause.</summary>
    [Range(0.001, 600)]
    public double RetryCapSeconds { get; set; } = 30;

    /// <summary>Submissions to the provider that may be open at once, and as many other calls; more wait.</summary>
    [Range(1, 1000)]
    public int MaxOpenCalls { get; set; } = 32;

    /// <summary>Calls that may wait for that; more are refused.</summary>
    [Range(0, 10_000)]
    public int MaxWaitingCalls { get; set; } = 256;

    /// <summary>Share of failing calls at which the circuit opens and nothing is sent for a while.</summary>
    [Range(0.01, 1)]
    public double BreakerFailureShare { get; set; } = 0.5;

    /// <summary>Fewer calls than this in the window never open the circuit.</summary>
    [Range(2, 10_000)]
    public int BreakerMinCalls { get; set; } = 10;

    /// <summary>The window in which calls are counted.</summary>
    [Range(0.5, 3600)]
    public double BreakerWindowSeconds { get; set; } = 30;

    /// <summary>How long an open circuit stays open before one call is tried.</summary>
    [Range(0.5, 3600)]
    public double BreakerPauseSeconds { get; set; } = 15;

    /// <summary>How long nothing is submitted after the provider refused our account (wrong key, empty balance).</summary>
    [Range(0.1, 86_400)]
    public double AccountPauseSeconds { get; set; } = 60;

    /// <summary>After failing for so long the provider's models are not offered until it is back. 0: they always are.</summary>
    [Range(0, 86_400)]
    public int OutageSeconds { get; set; } = 600;

    /// <summary>Dollars that submissions may cost in a day (UTC); then jobs wait for the next. 0: no limit.</summary>
    [Range(0, 10_000_000)]
    public double DailyBudget { get; set; }

    /// <summary>Share of the daily budget after which guests wait and only members are served.</summary>
    [Range(0, 1)]
    public double GuestBudgetShare { get; set; } = 0.8;

    /// <summary>Secrets of signed webhooks after the Standard Webhooks convention (<c>whsec_...</c>), for adapters of your own whose vendor has no scheme of its own (none that is shipped reads them); several while one replaces another.</summary>
    [WebhookSecret]
    public string[] WebhookSecrets { get; set; } = [];

    /// <summary>Never poll one job more often than this; some vendors ask for it.</summary>
    [Range(0, 600)]
    public double MinPollSeconds { get; set; }
}

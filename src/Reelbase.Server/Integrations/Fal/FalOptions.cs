using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>Section <c>Fal</c>: the account at fal.ai. Without a key the provider is off.</summary>
public sealed class FalOptions
{
    /// <summary><c>key_id:key_secret</c>.</summary>
    public string? ApiKey { get; set; }

    /// <summary>The queue API.</summary>
    [Required, Url]
    public string QueueUrl { get; set; } = "https://queue.fal.run";

    /// <summary>The public keys that fal signs webhooks with.</summary>
    [Required, Url]
    public string JwksUrl { get; set; } = "https://rest.fal.ai/.well-known/jwks.json";

    /// <summary>Our user id at fal. fal signs for all its customers with the same keys, so without it webhooks cannot be believed and jobs are polled.</summary>
    public string? UserId { get; set; }

    /// <summary>Hosts that fal serves videos from.</summary>
    public string[] MediaHosts { get; set; } = ["fal.media", "fal.run"];

    /// <summary>Jobs that the account may have running at once; new accounts have 2.</summary>
    [Range(1, 1000)]
    public int Concurrency { get; set; } = 2;

    /// <summary>Seconds until a submission without an answer is given up and called ambiguous.</summary>
    [Range(1, 120)]
    public double SubmitTimeoutSeconds { get; set; } = 30;

    /// <summary>Seconds until any other call is given up.</summary>
    [Range(1, 120)]
    public double ReadTimeoutSeconds { get; set; } = 15;
}

using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Integrations.Fal;

/// <summary>Section <c>Fal</c>: the account at fal.ai. Its key is <c>key_id:key_secret</c>; new accounts may have 2 jobs running.</summary>
public class FalOptions : VideoProviderOptions
{
    public FalOptions() => (MediaHosts, DisplayName) = (["fal.media", "fal.run"], "fal.ai");

    /// <summary>The queue API.</summary>
    [Required, Url]
    public string QueueUrl { get; set; } = "https://queue.fal.run";

    /// <summary>The public keys that fal signs webhooks with.</summary>
    [Required, Url]
    public string JwksUrl { get; set; } = "https://rest.fal.ai/.well-known/jwks.json";

    /// <summary>Where fal publishes an endpoint's OpenAPI document; <c>?endpoint_id=</c> is added.</summary>
    [Required, Url]
    public string OpenApiUrl { get; set; } = "https://fal.ai/api/openapi/queue/openapi.json";

    /// <summary>Our user id at fal. fal signs for all its customers with the same keys, so without it webhooks cannot be believed and jobs are polled.</summary>
    public string? UserId { get; set; }
}

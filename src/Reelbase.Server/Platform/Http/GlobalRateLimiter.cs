using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Threading.RateLimiting;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Platform.Http;

/// <summary>Section <c>Flood</c>: what one address may ask before anything reaches the database. Far above what people do; the limits by action come after it.</summary>
public sealed class FloodOptions
{
    /// <summary>Requests a second that one address (an IPv6 /64) may go on making. 0: no gate.</summary>
    [Range(0, 1_000_000)]
    public int RequestsPerSecond { get; set; } = 100;

    /// <summary>Requests that it may make at once after a rest.</summary>
    [Range(1, 10_000_000)]
    public int BurstRequests { get; set; } = 1000;

    /// <summary>Limits that a node remembers as reached (some 200 bytes each), so that what comes over them costs the database next to nothing. 0: none.</summary>
    [Range(0, 1_000_000)]
    public int MaxRememberedLimits { get; set; } = 50_000;
}

/// <summary>ASP.NET's own limiter in front: a token bucket for each address, in this process only.</summary>
public static class GlobalRateLimiter
{
    /// <summary>A phone that is refused here for long would be signed out or bricked; these have their own, gentler limits. Exactly these paths: what only begins like one is no route.</summary>
    private static readonly string[] NeverRefused =
    [
        "/auth/v1/token",
        "/device-check",
        "/functions/v1/device-check",
        "/health/live",
        "/health/ready",
        "/metrics",
    ];

    /// <summary>Adds the limiter.</summary>
    public static void Add(IServiceCollection services, FloodOptions options)
    {
        if (options.RequestsPerSecond == 0)
        {
            return;
        }
        services.AddRateLimiter(limiter =>
        {
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, IPAddress>(context =>
                NeverRefused.Contains(context.Request.Path.Value, StringComparer.OrdinalIgnoreCase)
                    ? RateLimitPartition.GetNoLimiter(IPAddress.None)
                    : RateLimitPartition.GetTokenBucketLimiter(
                        ClientAddress.Network(context.Connection.RemoteIpAddress ?? IPAddress.None),
                        _ => new TokenBucketRateLimiterOptions
                        {
                            TokenLimit = options.BurstRequests,
                            TokensPerPeriod = options.RequestsPerSecond,
                            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                            QueueLimit = 0,
                        }
                    )
            );
            limiter.OnRejected = async (rejected, _) =>
                await rejected
                    .HttpContext.RequestServices.GetRequiredService<ErrorWriter>()
                    .WriteAsync(
                        rejected.HttpContext,
                        new ApiException(
                            ErrorCodes.RateLimited,
                            new
                            {
                                limit = options.RequestsPerSecond,
                                scope = "address",
                                retry_after_seconds = 1,
                            }
                        )
                    );
        });
    }

    /// <summary>Puts the gate where it stands: after the true address is known and before everything else.</summary>
    public static void Use(WebApplication app, FloodOptions options)
    {
        if (options.RequestsPerSecond > 0)
        {
            app.UseRateLimiter();
        }
    }
}

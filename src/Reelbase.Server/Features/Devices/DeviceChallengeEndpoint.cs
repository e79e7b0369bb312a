using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.AppAttest;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Devices;

/// <summary>A challenge to be signed by App Attest on the phone.</summary>
/// <param name="Challenge">43 letters; goes into the client data exactly as it is.</param>
/// <param name="ExpiresIn">Seconds in which it may be used, once.</param>
public sealed record DeviceChallengeResponse(string Challenge, int ExpiresIn);

/// <summary><c>POST /device-challenge</c>: something new for the phone to sign, good for one device-check.</summary>
public sealed class DeviceChallengeEndpoint(ApiDatabase database, IOptions<AppAttestOptions> options)
{
    private const int ChallengeBytes = 32;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/device-challenge", (HttpContext context, DeviceChallengeEndpoint endpoint) => endpoint.HandleAsync(context))
            .WithTags("Devices")
            .WithName("device-challenge")
            .WithSummary("A challenge for App Attest, good for one device-check")
            .Produces<DeviceChallengeResponse>()
            .Fails(429, 503)
            .Examples(null, new { challenge = "kP0zq8mVb1yTn5m0eYwH3dQ2vJ7cL9sXfR4uA6iO8gE", expires_in = 300 });

    private async Task<IResult> HandleAsync(HttpContext context)
    {
        var challenge = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(ChallengeBytes));
        var settings = options.Value;
        var issued = (
            await database.QuerySingleOrDefaultAsync<Issued>(
                "select * from issue_device_challenge($1, $2, $3, $4::integer, $5)",
                context.RequestAborted,
                DeviceAttestation.Hash(challenge),
                context.Connection.RemoteIpAddress,
                settings.ChallengeSeconds,
                settings.ChallengesPerWindow < 0 ? null : settings.ChallengesPerWindow,
                settings.WindowSeconds
            )
        )!;
        RateLimitHeaders.Set(context, issued.RateLimit, issued.RateRemaining, issued.RateResetAt);
        return Json.Result(new DeviceChallengeResponse(challenge, settings.ChallengeSeconds));
    }

    private sealed record Issued(int? RateLimit, int? RateRemaining, DateTime? RateResetAt);
}

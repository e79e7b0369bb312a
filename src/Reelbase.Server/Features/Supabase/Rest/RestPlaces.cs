using System.Net;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>A caller's queries cost what the caller makes them cost; so that nobody takes all connections, each has a few at a time.</summary>
internal sealed class RestPlaces(IOptions<RestOptions> options) : IDisposable
{
    private readonly PartitionedRateLimiter<string> _places = PartitionedRateLimiter.Create<string, string>(who =>
        RateLimitPartition.GetConcurrencyLimiter(
            who,
            _ => new ConcurrencyLimiterOptions
            {
                PermitLimit = options.Value.RequestsAtOncePerCaller,
                QueueLimit = options.Value.WaitingRequestsPerCaller,
                QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            }
        )
    );

    /// <summary>A place, to be given back by disposing it.</summary>
    /// <exception cref="RestError">429.</exception>
    public async Task<RateLimitLease> TakeAsync(Caller caller, IPAddress? address, CancellationToken cancellationToken)
    {
        var lease = await _places.AcquireAsync(caller.UserId?.ToString() ?? ClientAddress.Network(address ?? IPAddress.None).ToString(), 1, cancellationToken);
        if (!lease.IsAcquired)
        {
            lease.Dispose();
            throw new RestError(429, "PGRSTX01", "Too many requests at once");
        }
        return lease;
    }

    /// <inheritdoc/>
    public void Dispose() => _places.Dispose();
}

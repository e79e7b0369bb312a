using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Platform.Http;

/// <summary>Section <c>Live</c>: connections that stay open.</summary>
public sealed class LiveOptions
{
    /// <summary>Open streams that one user may have at a node. -1: no limit.</summary>
    [Range(-1, 1_000_000)]
    public int StreamsPerUser { get; set; } = 12;

    /// <summary>Open streams that one address (an IPv6 /64) may have at a node; a carrier's phones share addresses. -1: no limit.</summary>
    [Range(-1, 10_000_000)]
    public int StreamsPerAddress { get; set; } = 20_000;

    /// <summary>Seconds between two comparisons of everything that is watched with the database, for changes that nobody notified.</summary>
    [Range(0.1, 60)]
    public double SweepSeconds { get; set; } = 3;
}

/// <summary>Counts the connections of this process that stay open, by user and by address: each of them holds memory and asks the database now and then.</summary>
public sealed class LiveConnections(IOptions<LiveOptions> options)
{
    /// <summary>A place is free as soon as another connection ends, which nobody knows beforehand.</summary>
    private const int RetryAfterSeconds = 15;

    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, int> _users = [];
    private readonly Dictionary<IPAddress, int> _addresses = [];

    /// <summary>Takes a place until the answer is disposed.</summary>
    /// <exception cref="ApiException">ERR_4004 when the user or their address has all of theirs.</exception>
    public IDisposable Open(Guid userId, IPAddress? address) => Take(userId, ClientAddress.Network(address ?? IPAddress.None));

    /// <summary>Like <see cref="Open"/> for a connection whose user is not known yet: the address's place alone.</summary>
    /// <exception cref="ApiException">ERR_4004.</exception>
    public IDisposable OpenAddress(IPAddress? address) => Take(null, ClientAddress.Network(address ?? IPAddress.None));

    /// <summary>Like <see cref="Open"/>, for a connection that has its address's place already.</summary>
    /// <exception cref="ApiException">ERR_4004.</exception>
    public IDisposable OpenUser(Guid userId) => Take(userId, null);

    private Place Take(Guid? userId, IPAddress? network)
    {
        lock (_lock)
        {
            if (userId is { } checkedUser)
            {
                Check(_users.GetValueOrDefault(checkedUser), options.Value.StreamsPerUser, "user");
            }
            if (network is not null)
            {
                Check(_addresses.GetValueOrDefault(network), options.Value.StreamsPerAddress, "address");
                _addresses[network] = _addresses.GetValueOrDefault(network) + 1;
            }
            if (userId is { } user)
            {
                _users[user] = _users.GetValueOrDefault(user) + 1;
            }
        }
        return new(this, userId, network);
    }

    /// <summary>Whom something is remembered of; nobody once all connections have ended.</summary>
    internal int Known
    {
        get
        {
            lock (_lock)
            {
                return _users.Count + _addresses.Count;
            }
        }
    }

    private static void Check(int open, int limit, string scope)
    {
        if (limit >= 0 && open >= limit)
        {
            throw new ApiException(
                ErrorCodes.RateLimited,
                new
                {
                    limit,
                    scope,
                    retry_after_seconds = RetryAfterSeconds,
                }
            );
        }
    }

    private void Close(Guid? userId, IPAddress? network)
    {
        lock (_lock)
        {
            if (userId is { } user)
            {
                Lower(_users, user);
            }
            if (network is not null)
            {
                Lower(_addresses, network);
            }
        }
    }

    private static void Lower<TKey>(Dictionary<TKey, int> counts, TKey key)
        where TKey : notnull
    {
        if (--counts[key] == 0)
        {
            counts.Remove(key);
        }
    }

    private sealed class Place(LiveConnections connections, Guid? userId, IPAddress? network) : IDisposable
    {
        private int _isClosed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isClosed, 1) == 0)
            {
                connections.Close(userId, network);
            }
        }
    }
}

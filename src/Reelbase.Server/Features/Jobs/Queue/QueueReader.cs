using System.Diagnostics;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs.Queue;

/// <summary>Reads long queues into this node's memory, a little oftener than once a second, as long as somebody asks for positions.</summary>
public sealed class QueueReader(WorkerDatabase database, QueueMemory memory, ILogger<QueueReader> logger) : PeriodicWork(logger)
{
    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(0.7);

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        if (!memory.IsAsked)
        {
            return;
        }
        var at = Stopwatch.GetTimestamp();
        memory.Keep(await ListAsync(null, stoppingToken), at);
    }

    /// <summary>The queues of some providers as they are now, for whoever wants the places of many jobs at once.</summary>
    public async Task<QueueMemory.Known> ReadAsync(string[] providers, CancellationToken cancellationToken)
    {
        var at = Stopwatch.GetTimestamp();
        return new(await ListAsync(providers, cancellationToken), at);
    }

    private Task<List<QueueLane>> ListAsync(string[]? providers, CancellationToken cancellationToken) =>
        database.ReadAsync(
            "select provider, lane, turns, retries, keys, mark_keys, mark_ranks, waiting, served_since from read_queues($1)",
            row => new QueueLane(
                row.GetString(0),
                row.GetString(1),
                row.GetInt64(2),
                row.GetInt32(3),
                row.GetFieldValue<long[]>(4),
                row.IsDBNull(5) ? null : row.GetFieldValue<long[]>(5),
                row.IsDBNull(6) ? null : row.GetFieldValue<int[]>(6),
                row.IsDBNull(7) ? null : row.GetInt32(7),
                row.IsDBNull(8) ? null : row.GetInt64(8)
            ),
            cancellationToken,
            new NpgsqlParameter<string[]?> { TypedValue = providers }
        );
}
